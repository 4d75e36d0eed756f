// Properties look at fewer cases here: there are a thousand mutants to run them for.
require('fast-check').configureGlobal({ numRuns: 25 })
