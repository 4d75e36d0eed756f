import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'

/** The live page: one document without external resources. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>MoEngage simulator</title>
<style>${PAGE_STYLE}</style>
<main>
<header>
  <h1>MoEngage simulator</h1>
  <p>What relay delivered, as MoEngage would have received it.</p>
  <p id="state" role="status">connecting</p>
</header>
<section><div id="tiles" class="tiles"></div></section>
<div id="budgets" class="grid"></div>
<section>
  <h2>Accepted per second, last two minutes</h2>
  <svg viewBox="0 0 121 60" preserveAspectRatio="none" role="img" aria-label="Accepted per second" id="chart"></svg>
  <p class="row soft"><span class="event">events</span><span class="customer">users</span><span class="device">devices</span><span id="top"></span></p>
</section>
<div class="grid">
<section><h2>Newest elements</h2><ul id="elements"></ul></section>
<div>
<section><h2>Newest requests</h2><ul id="requests"></ul></section>
<section><h2>Scripted faults</h2><ul id="faults"></ul></section>
</div>
</div>
<button id="reset">Forget what arrived</button>
</main>
<script>${PAGE_SCRIPT}</script>
</html>
`

/** Allows only inline style and script and this server's control API. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
