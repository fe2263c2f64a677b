// Runs test/redis/** with each of redis-server and valkey-server that is installed. Usage: npm run test:redis [test/redis/file.ts …]
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const named = process.argv.slice(2)
const files = named.length > 0 ? named : readdirSync('test/redis').map((name) => `test/redis/${name}`)
const servers = ['redis-server', 'valkey-server'].map(find).filter((path) => path !== undefined)
const total = { passed: 0, failed: servers.length === 0 ? 1 : 0 }
if (servers.length === 0)
  console.log('neither redis-server nor valkey-server is installed: apt-get install redis-server')
for (const server of servers) {
  console.log(`with ${server}`)
  const { passed, failed } = await test(server)
  total.passed += passed
  total.failed += failed
}
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

function find(name) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** As any other test; its own count is its last line. */
async function test(server) {
  const child = spawn(process.execPath, ['scripts/test.js', ...files], {
    env: { ...process.env, TEST_REDIS_SERVER: server },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let counted = { passed: 0, failed: 1 }
  for await (const line of createInterface({ input: child.stdout })) {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? []
    if (passed === undefined) console.log(line)
    else counted = { passed: Number(passed), failed: Number(failed) }
  }
  return counted
}
