import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1'
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Namespace, Secret, Service, ServiceAccount } from 'kubernetes-models/v1'
import type { Manifest } from './kustomize.js'

interface Model {
  validate(): void
}
type Kind = new (data: never) => Model

const KINDS = {
  'apps/v1 Deployment': Deployment,
  'apps/v1 StatefulSet': StatefulSet,
  'autoscaling/v2 HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'keda.sh/v1alpha1 ScaledObject': ScaledObject,
  'monitoring.coreos.com/v1 PrometheusRule': PrometheusRule,
  'monitoring.coreos.com/v1 ServiceMonitor': ServiceMonitor,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 ConfigMap': ConfigMap,
  'v1 Namespace': Namespace,
  'v1 Secret': Secret,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
} as Readonly<Record<string, Kind>>

/** Holds a manifest to its API's schema; gives what is wrong, or null. */
export function schemaProblem(manifest: Manifest): string | null {
  const kind = KINDS[`${manifest.apiVersion} ${manifest.kind}`]
  if (kind === undefined) return `no schema of ${manifest.apiVersion} ${manifest.kind} is known`
  const model = new kind(manifest as never)
  try {
    model.validate()
    return null
  } catch (error) {
    return (error as Error).message
  }
}
