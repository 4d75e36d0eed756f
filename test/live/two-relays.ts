import { parse, stringify } from 'yaml'

interface Series {
  readonly series: string
  readonly values: string
}
interface Sample {
  readonly labels: string
  readonly value: number
}
interface Case {
  readonly name: string
  readonly interval: string
  readonly input_series: readonly Series[]
  readonly promql_expr_test: readonly {
    readonly expr: string
    readonly exp_samples: readonly Sample[]
  }[]
}

/**
 * The tests of the rules, each with a second relay on the same Prometheus that is well all the time:
 * the same alerts have to fire, and to name the relay that is in trouble. Their words are tested alone.
 */
export function besideAnother(yaml: string, ruleFiles: readonly string[]): string {
  const file = parse(yaml) as { tests: readonly Case[] }
  const well = file.tests[0]?.input_series ?? []
  const tests = file.tests.map((one) => ({
    ...{ name: one.name, interval: one.interval },
    input_series: [
      ...one.input_series.map((series) => inNamespace(series, 'production')),
      ...well.map(({ series, values }) => {
        const steps = stepsOf(one.input_series)
        return inNamespace({ series, values: values.replace(/x\d+$/, `x${steps}`) }, 'staging')
      }),
    ],
    promql_expr_test: one.promql_expr_test.map(({ expr, exp_samples: samples, ...at }) => ({
      ...at,
      expr: expr.replace('by (alertname)', 'by (alertname, namespace)'),
      exp_samples: samples.map(({ labels, value }) => ({
        labels: labels.replace('}', ',namespace="production"}'),
        value,
      })),
    })),
  }))
  return stringify({ ...file, rule_files: ruleFiles, tests })
}

function inNamespace({ series, values }: Series, namespace: string): Series {
  return { series: series.replace('{', `{namespace="${namespace}",`), values }
}

/** How long the longest series of a case is. */
function stepsOf(series: readonly Series[]): string {
  const lengths = series.map(({ values }) =>
    [...values.matchAll(/x(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0),
  )
  return String(Math.max(...lengths))
}
