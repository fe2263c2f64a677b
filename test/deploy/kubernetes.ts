import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseDuration } from '../../src/lib/duration.js'
import { newSecret } from '../../src/lib/kept-secret.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { createApp } from '../fixtures/app.js'
import { IMAGE_ENV, refusedSettings, unknownSettings } from '../fixtures/settings.js'
import { readYaml, type Yaml, yamlFiles } from '../fixtures/yaml.js'

const FOLDER = 'deploy/k8s'
const read = (name: string): Yaml => readYaml(`${FOLDER}/${name}`)

const deployment = read('deployment.yaml')
const pod = deployment.spec.template
const [container] = pod.spec.containers
const configMap = read('configmap.yaml')
const secret = read('secret.example.yaml')
const autoscaler = read('autoscaler.yaml')

/** The environment of a pod whose secret holds these values. */
function podEnv(t: Test, secrets: Record<string, string>): Record<string, string> {
  const folder = t.testdir(secrets)
  const [{ mountPath }] = container.volumeMounts
  const own = container.env.map(({ name, value }: Yaml) => [name, value.replace(mountPath, folder)])
  return { ...IMAGE_ENV, ...configMap.data, ...Object.fromEntries(own) }
}

t.test('every YAML file for operators is good YAML', async (t) => {
  const files = yamlFiles()
  t.ok(files.length > 10)
  for (const file of files) t.ok(readYaml(file), file)
})

t.test('kustomization.yaml takes every file but the example of a secret', async (t) => {
  const files = readdirSync(join(packageRoot(), FOLDER))
  t.strictSame(
    read('kustomization.yaml').resources.toSorted(),
    files.filter((name) => !['kustomization.yaml', 'secret.example.yaml'].includes(name)).sort()
  )
  t.equal(read('kustomization.yaml').namespace, read('namespace.yaml').metadata.name)
  t.strictSame(
    read('kustomization.yaml').images.map(({ name }: Yaml) => name),
    [container.image]
  )
})

t.test('everything is about the same pods', async (t) => {
  const labels = { 'app.kubernetes.io/name': 'postern' }
  t.match(pod.metadata.labels, labels)
  for (const selector of [
    deployment.spec.selector.matchLabels,
    read('service.yaml').spec.selector,
    read('disruption-budget.yaml').spec.selector.matchLabels,
    read('network-policy.yaml').spec.podSelector.matchLabels,
    pod.spec.topologySpreadConstraints[0].labelSelector.matchLabels
  ]) {
    t.strictSame(selector, labels)
  }
  t.match(autoscaler.spec.scaleTargetRef, { kind: deployment.kind, name: deployment.metadata.name })
  t.equal(deployment.spec.replicas, undefined, 'the autoscaler alone says how many')
})

t.test('with a good secret the pod has settings that production takes', async (t) => {
  for (const [name, value] of Object.entries(configMap.data)) t.type(value, 'string', name)
  const url = 'postgres://postern:a-good-password@db.internal:5432/postern?sslmode=verify-full'
  const env = podEnv(t, { 'auth-secret': `${newSecret()}\n`, 'database-url': `${url}\n` })
  t.strictSame(unknownSettings(env), [])
  t.strictSame(refusedSettings(env), [])
  t.equal(container.envFrom[0].configMapRef.name, configMap.metadata.name)
  t.equal(pod.spec.volumes[0].secret.secretName, secret.metadata.name)
})

t.test('the example of a secret names what the pod reads, and is refused', async (t) => {
  const mount = container.volumeMounts[0].mountPath
  t.strictSame(
    Object.keys(secret.stringData).sort(),
    container.env.map(({ value }: Yaml) => value.replace(`${mount}/`, '')).sort()
  )
  t.strictSame(refusedSettings(podEnv(t, secret.stringData)).sort(), ['AUTH_SECRET', 'DATABASE_URL'])
})

t.test('probes ask for what there is, and no restart waits for the database', async (t) => {
  const { http } = await createApp(t)
  const { startupProbe, livenessProbe, readinessProbe } = container
  t.equal(startupProbe.httpGet.path, '/livez')
  t.equal(livenessProbe.httpGet.path, '/livez')
  t.equal(readinessProbe.httpGet.path, '/readyz')
  for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
    t.equal((await http('GET', httpGet.path)).status, 200)
    t.equal(httpGet.port, container.ports[0].name)
  }
})

t.test('every port is the one that the image listens at', async (t) => {
  const [port] = container.ports
  t.equal(String(port.containerPort), IMAGE_ENV.PORT)
  t.match(read('service.yaml').spec.ports, [{ port: port.containerPort, targetPort: port.name }])
  t.match(read('network-policy.yaml').spec.ingress, [{ ports: [{ port: port.name }] }])
})

t.test('a pod may do no more than it needs', async (t) => {
  t.match(pod.spec, {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } }
  })
  t.match(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true })
  t.strictSame(container.securityContext.capabilities, { drop: ['ALL'] })
  t.equal(pod.spec.volumes[0].secret.defaultMode, 0o440)
})

t.test('a pod has the time to end in order, and a rollout takes none away before the next is ready', async (t) => {
  const seconds = Number(parseDuration(configMap.data.SHUTDOWN_TIMEOUT)) / 1000
  t.ok(pod.spec.terminationGracePeriodSeconds > seconds)
  t.strictSame(deployment.spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
  t.ok(autoscaler.spec.minReplicas >= 2)
  t.equal(read('disruption-budget.yaml').spec.maxUnavailable, 1)
})

t.test('as many instances as the autoscaler may start fit into the default connections of PostgreSQL', async (t) => {
  const source = readFileSync(join(packageRoot(), 'src/plugins/database/connections.ts'), 'utf8')
  const pool = Number(/^const POOL_SIZE = (\d+)$/m.exec(source)?.[1])
  // One connection more looks whether the database is there, one instance more runs during a rollout; 3 of 100 are reserved.
  t.ok((autoscaler.spec.maxReplicas + 1) * (pool + 1) <= 97)
})
