/** Style of the page. Colours follow the reader's system; no external resources. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --ink: #1d2430; --soft: #667085; --line: #e4e2dc;
  --users: #2563c9; --events: #0f8a72; --devices: #8b5bd1; --bad: #c2372c; --warn: #a86400;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --card: #1a2029; --ink: #e8ebf0; --soft: #98a2b3; --line: #2b333f;
    --users: #6ea3f5; --events: #43c4a8; --devices: #b493ea; --bad: #f2786d; --warn: #e3a64a;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 20px 16px 48px }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 16px }
h1 { font-size: 20px; margin: 0 }
h2 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 0 0 10px }
header p, .soft { color: var(--soft); margin: 0 }
#state::before { content: "●"; color: var(--events); margin-right: 6px }
#state.lost::before { color: var(--bad) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin-bottom: 14px }
.grid { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)) }
.grid > * { min-width: 0 } .grid > section { margin: 0 }
.grid { margin-bottom: 14px; align-items: start }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(106px, 1fr)); gap: 12px }
.tiles b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums }
.tiles span { color: var(--soft); font-size: 13px }
.gauge { margin: 0 0 14px } .gauge:last-child { margin-bottom: 2px }
.gauge div:first-child { display: flex; justify-content: space-between; gap: 8px; font-variant-numeric: tabular-nums }
.bar { position: relative; height: 10px; margin-top: 5px; border-radius: 5px; background: var(--line); overflow: hidden }
.bar i { position: absolute; inset: 0 auto 0 0; border-radius: 5px; transition: width .4s }
.bar u { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink) }
svg { width: 100%; height: 72px; display: block }
ul { list-style: none; margin: 0; padding: 0 }
li { border-top: 1px solid var(--line); padding: 8px 0; overflow-wrap: anywhere } li:first-child { border-top: 0 }
.row { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; font-variant-numeric: tabular-nums }
.row .grow { flex: 1 1 auto }
.tag { font-size: 12px; font-weight: 600; padding: 1px 7px; border-radius: 9px; border: 1px solid currentColor }
.ok { color: var(--events) } .bad { color: var(--bad) } .warn { color: var(--warn) }
.customer { color: var(--users) } .event { color: var(--events) } .device { color: var(--devices) }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--soft) }
button {
  font: inherit; font-size: 13px; padding: 4px 12px; border-radius: 7px; cursor: pointer;
  color: inherit; background: transparent; border: 1px solid var(--soft);
}
button:hover, button:focus-visible { border-color: var(--ink) }
`
