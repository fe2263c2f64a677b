import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { password } from '../fixtures/app.js'
import { postern } from '../fixtures/process.js'

t.test(
  'a command uses the embedded database where it is: of a running service, which goes on, and else by itself',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pt-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const settings = { NODE_ENV: 'test', PORT: '0', BCRYPT_COST: '4', DATA_DIR: join(folder, 'data') }
    const service = postern(t, ['serve'], settings)
    const { url } = await service.line('ready')
    const body = JSON.stringify({ email: 'ada@example.com', password })
    const headers = { 'content-type': 'application/json' }
    t.equal((await fetch(`${url}/auth/login`, { method: 'POST', body, headers })).status, 401)
    const listed = async () => {
      const { ended, output } = postern(t, ['throttle', 'list', '--all', '--json'], settings)
      t.equal(await ended, 0)
      return JSON.parse(output().stdout).counts
    }
    t.match(await listed(), [{ email: 'ada@example.com', failures: 1 }])
    t.equal((await fetch(`${url}/readyz`)).status, 200)
    service.child.kill('SIGTERM')
    t.equal(await service.ended, 0)
    t.match(await listed(), [{ email: 'ada@example.com', failures: 1 }])
  }
)
