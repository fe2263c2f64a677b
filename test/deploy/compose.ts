import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDuration } from '../../src/lib/duration.js'
import { newSecret } from '../../src/lib/kept-secret.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { IMAGE_ENV, refusedSettings, unknownSettings } from '../fixtures/settings.js'
import { readYaml, type Yaml } from '../fixtures/yaml.js'

const { services, networks, volumes } = readYaml('compose.yaml')
const { postern, gateway, api } = services

/** With what Compose would put in for `${NAME:-default}` and `${NAME:?message}`. */
function environmentOf(service: Yaml, variables: Record<string, string> = {}): Record<string, string> {
  const fill = (text: string) =>
    text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name, kind, word) => {
      const value = variables[name] ?? (kind === '-' ? word : undefined)
      if (value === undefined) throw new Error(`${name}: ${word}`)
      return value
    })
  return Object.fromEntries(Object.entries<string>(service.environment).map(([name, value]) => [name, fill(value)]))
}

const given = { AUTH_SECRET: newSecret(), DATABASE_PASSWORD: newSecret() }

t.test('without secrets nothing starts, and with them the instances have settings that production takes', async (t) => {
  t.throws(() => environmentOf(postern), /npm run secret/)
  for (const name of ['postern', 'postern-2']) {
    const env = { ...IMAGE_ENV, ...environmentOf(services[name], given) }
    t.strictSame(unknownSettings(env), [], name)
    t.strictSame(refusedSettings(env), [], name)
  }
})

t.test('the second instance is the first again, and both have the time to end in order', async (t) => {
  const { ports, profiles, ...second } = services['postern-2']
  const { ports: _, ...first } = postern
  t.strictSame(second, first)
  t.strictSame({ ports, profiles }, { ports: [], profiles: ['gateway'] })
  t.ok(Number(parseDuration(postern.stop_grace_period)) > 10_000)
})

t.test('the gateway, and nobody else, is at the address that the instances trust', async (t) => {
  const { edge } = networks
  const [{ subnet, gateway: bridge, ip_range: range }] = edge.ipam.config
  const trusted = postern.environment.TRUST_PROXY
  t.equal(gateway.networks.edge.ipv4_address, trusted)
  t.not(bridge, trusted)
  t.equal(subnet, '10.213.77.0/28')
  t.equal(range, '10.213.77.8/29', 'what Docker gives away begins at .8')
  t.ok(Number(trusted.split('.')[3]) < 8)
})

t.test('the gateway runs the file of deploy/, with every variable that it takes', async (t) => {
  const [file] = gateway.volumes.map((volume: string) => volume.split(':')[0])
  const path = join(packageRoot(), file)
  t.ok(existsSync(path))
  const variables = [...readFileSync(path, 'utf8').matchAll(/\{\$(\w+):/g)].map(([, name]) => name)
  t.strictSame([...new Set(variables)].sort(), Object.keys(gateway.environment).sort())
  const { POSTERN, API, SITE } = gateway.environment
  for (const upstream of POSTERN.split(' ')) t.ok(services[upstream.split(':')[0]], upstream)
  t.equal(POSTERN.split(' ').length, 2)
  t.equal(API, 'api:8081')
  t.match(api.command.join(' '), /listen\(8081\)/)
  t.ok(gateway.ports[0].endsWith(new URL(SITE).port))
})

t.test('nothing is published to other machines, and the gateway is not on the network of the database', async (t) => {
  for (const [name, { ports = [] }] of Object.entries<Yaml>(services)) {
    for (const port of ports) t.match(port, /^127\.0\.0\.1:/, name)
  }
  t.strictSame(Object.keys(gateway.networks), ['edge'])
  t.strictSame(api.networks, ['edge'])
  t.equal(services.postgres.networks, undefined)
  t.ok('gateway' in volumes && 'database' in volumes)
})
