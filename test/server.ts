import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { postern, serving, settingsFor } from './fixtures/process.js'

const NOWHERE = 'postgres://postern@127.0.0.1:1/postern'

/** A request whose body has come by half: the server has read it, and cannot answer it yet. */
async function halfRequest(url: string): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const body = JSON.stringify({ email: 'half@example.com', password: 'Correct1horse' })
  const head = `POST /auth/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(head + body.slice(0, 10))
  // Its turn at the server comes before that of a request that is sent later and has been answered.
  await fetch(`${url}/livez`)
  const finish = async () => {
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk
    })
    socket.write(body.slice(10))
    await once(socket, 'close')
    return answer
  }
  return { socket, finish }
}

async function refused(url: string): Promise<boolean> {
  return fetch(`${url}/livez`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true
  )
}

t.test('a default ISSUER that names another port is warned of, once; one that was set is not', async (t) => {
  const ofPort = ({ log }: { log(): Record<string, unknown>[] }) =>
    log().filter(({ msg }) => String(msg).includes('ISSUER'))
  const byDefault = await serving(t)
  const { port } = new URL(byDefault.url)
  t.match(ofPort(byDefault), [{ level: 'warn', port: Number(port), fitting: `http://localhost:${port}/auth` }])
  t.equal(ofPort(byDefault).length, 1)
  t.strictSame(ofPort(await serving(t, { ISSUER: 'http://localhost:8080/auth' })), [])
})

t.test('one line tells where it listens, which database and which key it has, and a curl that works', async (t) => {
  const { log, output, url } = await serving(t)
  const { database, key, curl } = log().find(({ msg }) => msg === 'ready') as Record<string, string>
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.ok(database)
  t.match(key, 'ES256')
  const [command, address = ''] = (curl ?? '').split(' ')
  t.equal(command, 'curl')
  t.equal((await fetch(address)).status, 200)
  t.equal(output().stderr, '')
})

t.test('without its database the service listens, is alive and is not ready', async (t) => {
  const { line, ended, child } = postern(t, ['serve'], { ...settingsFor(NOWHERE) })
  const { msg = '' } = await line('listening at')
  const url = msg.replace('listening at ', '')
  const live = await fetch(`${url}/livez`)
  t.equal(live.status, 200)
  t.strictSame(await live.json(), { status: 'ok' })
  const ready = await fetch(`${url}/readyz`)
  t.equal(ready.status, 503)
  t.match(ready.headers.get('content-type'), /^application\/problem\+json/)
  t.match(ready.headers.get('retry-after'), /^[1-9]/)
  t.match(await ready.json(), { code: 'unavailable', status: 503 })
  t.match(await (await fetch(`${url}/readyz?verbose`)).json(), { detail: /database: not ok.*migrations.*signing_key/ })
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

t.test('a ready service says so, and names its checks when asked', async (t) => {
  const { url } = await serving(t)
  t.strictSame(await (await fetch(`${url}/readyz`)).json(), { status: 'ok' })
  const { status, checks } = (await (await fetch(`${url}/readyz?verbose`)).json()) as {
    status: string
    checks: Record<string, { ok: boolean }>
  }
  t.equal(status, 'ok')
  for (const name of ['database', 'migrations', 'signing_key']) t.equal(checks[name]?.ok, true, name)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} ends an idle service with 0`, async (t) => {
    const { child, ended, url } = await serving(t)
    await fetch(`${url}/livez`)
    child.kill(signal)
    t.equal(await ended, 0)
  })
}

t.test('after SIGTERM it is not ready at once, and connections are taken until SHUTDOWN_DELAY is over', async (t) => {
  const { child, ended, line, url } = await serving(t, { SHUTDOWN_DELAY: '1s', SHUTDOWN_TIMEOUT: '20s' })
  const { socket } = await halfRequest(url)
  child.kill('SIGTERM')
  await line('stopping')
  const ready = await fetch(`${url}/readyz`)
  t.equal(ready.status, 503)
  t.equal(ready.headers.get('connection'), 'close')
  t.equal((await fetch(`${url}/livez`)).status, 200)
  while (!(await refused(url))) await sleep(50)
  t.equal(child.exitCode, null, 'it still waits for the request that it has read')
  socket.destroy()
  t.equal(await ended, 0)
})

t.test('what was read before SIGTERM is answered, with Connection: close', async (t) => {
  const { child, ended, line, url } = await serving(t)
  const { finish } = await halfRequest(url)
  child.kill('SIGTERM')
  await line('stopping')
  while (!(await refused(url))) await sleep(20)
  const answer = await finish()
  t.match(answer, /^HTTP\/1\.1 201 /)
  t.match(answer.toLowerCase(), '\r\nconnection: close\r\n')
  t.equal(await ended, 0)
})

t.test('clients that hold connections cannot keep it: it ends with 0 within SHUTDOWN_TIMEOUT', async (t) => {
  const { child, ended, url } = await serving(t, { SHUTDOWN_TIMEOUT: '2s' })
  await halfRequest(url)
  const idle = connect(Number(new URL(url).port), '127.0.0.1')
  idle.on('error', () => undefined)
  await once(idle, 'connect')
  child.kill('SIGTERM')
  t.equal(await Promise.race([ended, sleep(10_000, 'too late', { ref: false })]), 0)
})

t.test('a second signal ends it at once, whatever it still waits for', async (t) => {
  const { child, ended, line, url } = await serving(t, { SHUTDOWN_TIMEOUT: '10m' })
  await halfRequest(url)
  child.kill('SIGTERM')
  await line('stopping')
  await sleep(200)
  child.kill('SIGTERM')
  t.equal(await ended, 1)
})

t.test('one signal that comes twice, by the terminal and by npm, is one', async (t) => {
  const { child, ended } = await serving(t)
  child.kill('SIGINT')
  child.kill('SIGINT')
  t.equal(await ended, 0)
})

t.test('an error that nobody caught is logged, and the service drains and ends with 1', async (t) => {
  const thrower = 'data:text/javascript,process.on("SIGWINCH",()=>{throw new Error("oops")})'
  const { child, ended, line, log, url } = await serving(t, {}, ['--import', thrower])
  const { finish } = await halfRequest(url)
  child.kill('SIGWINCH')
  await line('stopping')
  t.match(await finish(), /^HTTP\/1\.1 201 /)
  t.equal(await ended, 1)
  t.match(
    log().find(({ level }) => level === 'fatal'),
    { error: { message: 'oops' } }
  )
})

t.test('a port that is in use ends the start with 78 and a line that says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const { ended, output } = postern(t, ['serve'], { ...settingsFor(NOWHERE), PORT: String(port) })
  t.equal(await ended, 78)
  t.match(output().stderr, `127.0.0.1:${port}`)
  t.match(output().stderr, 'PORT')
})
