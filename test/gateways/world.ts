import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from 'postgres'
import type { Test } from 'tap'
import type { TokenAnswer } from '../../src/schemas.js'
import { password, uniqueEmail } from '../fixtures/app.js'
import { connect, createDatabase } from '../fixtures/postgres.js'
import { postern, type Running, settingsFor } from '../fixtures/process.js'
import { ask, json, newAddress } from './client.js'
import { type Program, temporaryFolder } from './programs.js'

/** The ports that the files in deploy/ name. */
export const INSTANCES = [3000, 3001] as const
const API = 8081

/** A request as the API got it. */
export interface Received {
  method: string
  url: string
  headers: [name: string, value: string][]
  bytes: number
  sha256: string
}

export interface Instance {
  port: number
  start(settings?: Record<string, string>): Promise<void>
  /** As an operator does: SIGTERM, and then it has to end by itself with 0. */
  stop(): Promise<void>
  kill(): Promise<void>
  signal(name: NodeJS.Signals): void
}

export interface World {
  program: Program
  sql: Sql
  first: Instance
  second: Instance
  /** Everything that has come to the API. */
  received: Received[]
  /** A fresh user, signed up directly at the first instance. */
  newUser(): Promise<TokenAnswer>
}

/** PostgreSQL, the API and the gateway run; the first instance of Postern does, the second does not yet. */
export async function createWorld(t: Test, program: Program): Promise<World> {
  const databaseUrl = await createDatabase(t, { empty: true })
  const sql = connect(databaseUrl)
  t.teardown(() => sql.end())
  const settings = {
    ...settingsFor(databaseUrl),
    TRUST_PROXY: '127.0.0.1',
    ISSUER: 'http://localhost:8080/auth',
    SHUTDOWN_DELAY: '2s',
    ...program.settings
  }
  const [first, second] = INSTANCES.map((port) => createInstance(t, { ...settings, PORT: String(port) })) as [
    Instance,
    Instance
  ]
  const received = await startApi(t)
  await first.start()
  startGateway(t, program)
  await until(async () => (await ask({ path: '/auth/settings' })).status === 200)
  return { program, sql, first, second, received, newUser: () => newUser(first.port) }
}

function createInstance(t: Test, settings: Record<string, string>): Instance {
  const port = Number(settings.PORT)
  let running: Running | undefined
  const signal = (name: NodeJS.Signals) => void running?.child.kill(name)
  return {
    port,
    signal,
    async start(more = {}) {
      running = postern(t, ['serve'], { ...settings, ...more })
      await running.line('ready')
    },
    async stop() {
      signal('SIGTERM')
      const code = await running?.ended
      if (code !== 0) throw new Error(`instance ${port} ended with ${code}`)
    },
    async kill() {
      signal('SIGKILL')
      await running?.ended
    }
  }
}

async function startApi(t: Test): Promise<Received[]> {
  const received: Received[] = []
  const api = createServer({ maxHeaderSize: 65_536 }, async (request, response) => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of request) {
      hash.update(chunk)
      bytes += chunk.length
    }
    const { method = '', url = '', rawHeaders } = request
    const headers = rawHeaders.flatMap((name, index): Received['headers'] =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? '']] : []
    )
    const seen = { method, url, headers, bytes, sha256: hash.digest('hex') }
    received.push(seen)
    response.writeHead(200, { 'content-type': 'application/json', 'x-from': 'api' }).end(JSON.stringify(seen))
  })
  api.keepAliveTimeout = 75_000
  api.listen(API, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => {
    api.closeAllConnections()
    api.close()
  })
  return received
}

function startGateway(t: Test, program: Program): void {
  const { args, cwd = '/', env = {} } = program.command(temporaryFolder(t))
  const { PATH = '' } = process.env
  const child = spawn(program.name, args, { cwd, env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = `${output}${text}`.slice(-5000)
    })
  }
  t.teardown(async () => {
    // Not SIGKILL: it would leave its workers behind.
    child.kill('SIGTERM')
    await ended
    if (!t.passing()) t.comment(output)
  })
}

async function newUser(port: number): Promise<TokenAnswer> {
  const body = JSON.stringify({ email: uniqueEmail(), password })
  const answer = await ask({ method: 'POST', path: '/auth/signup', headers: [json], body, from: newAddress(), port })
  if (answer.status !== 201) throw new Error(`signup answered ${answer.status}: ${answer.body}`)
  return answer.json
}

/** Waits until it is so; half a minute at most. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await isSo().catch(() => false)) return
    await sleep(100)
  }
  throw new Error(`it did not come to pass: ${isSo}`)
}
