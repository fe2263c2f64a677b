// Repairs postgres.js 3.4.9 in node_modules. npm runs this after each install (also with --omit=dev).
//
// When a connection is lost, postgres.js 3.4.9 can end the process with an error that no caller can catch, leave a
// place in its pool unusable for good, answer a query with the error of an earlier one, leave a query of a transaction
// unanswered, or run the rest of a transaction outside of it, on the connection that was made in its place.
// Upstream: porsager/postgres issues #1066, #1154, #1208; pull requests #1168, #1176, #1209, none of them released.
// test/plugins/database/lost-connections.ts has the proof. When upstream has released, remove this file, its line in
// package.json and the check in src/plugins/database/patched.ts.
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '3.4.9'

/** What each entry point shares, line by line: [as it is, as it should be]. */
const CHANGES = {
  'connection.js': [
    // A write that was put off until the socket is gone goes nowhere; closed() has answered its query.
    [
      `
    const x = socket.write(chunk, fn)
    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    return x`,
      `
    const x = chunk
    nextWriteTimer !== null && clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    return socket && x ? socket.write(x, fn) : false`
    ],
    // A query for a connection that is lost is refused. True: the connection stays in the queue that it is in.
    [
      `
    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS'`,
      `
    if (!socket)
      return (queryError(q, Errors.connection('CONNECTION_CLOSED', options)), true)

    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS'`
    ],
    // A timer that is cleared but not forgotten keeps every later write from being sent.
    [
      `
    clearImmediate(nextWriteTimer)
    if (socket) {`,
      `
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    if (socket) {`
    ],
    [
      `
    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)`,
      `
    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)`
    ],
    // What the lost session has said is not the answer of the next one, and what was sent between the error and the end
    // of the lost one is no query of the next one.
    [
      `
    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
    closedTime = performance.now()
`,
      `
    if (!initial && (query || sent.length))
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = errorResponse = results = null
    result = new Result()
    rows = 0
    if (initial)
      return reconnect()

    closedTime = performance.now()
`
    ],
    // Nobody waits for this promise; the query that needed it has been answered. Who wanted to reserve the connection
    // may have left the queue that it was looked for in, and gets it from here.
    [
      `
      if (needsTypes) {
        initial.reserve && (initial = null)
        return fetchArrayTypes()
      }

      initial && !initial.reserve && execute(initial)
`,
      `
      if (needsTypes)
        return fetchArrayTypes().catch(noop)

      initial.reserve ? initial.reserve(connection) : execute(initial)
`
    ]
  ],
  'index.js': [
    // A reserved connection that is lost: its queries are refused, and it is not given back twice. Two connections that
    // were made for one who waits: the second is for the others.
    [
      `
        const query = { reserve: resolve, reject }
`,
      `
        let done = false
        const settle = (how, x) => (done = true, queries.remove(query), how(x))
        const query = { reserve: c => done ? onopen(c) : settle(resolve, c), reject: e => settle(reject, e) }
`
    ],
    [
      `
    move(c, reserved)
    c.reserved = () => queue.length
      ? c.execute(queue.shift())
      : move(c, reserved)
    c.reserved.release = true
`,
      `
    let lost = null

    move(c, reserved)
    c.reserved = () => queue.length
      ? c.execute(queue.shift())
      : move(c, reserved)
    c.reserved.release = true
    c.onclose = e => {
      lost = e
      while (queue.length)
        queue.shift().reject(e)
    }
`
    ],
    [
      `
    sql.release = () => {
      c.reserved = null
`,
      `
    sql.release = () => {
      if (lost)
        return

      c.reserved = c.onclose = null
`
    ],
    [
      `
    function handler(q) {
      c.queue === full
        ? queue.push(q)`,
      `
    function handler(q) {
      lost ? q.reject(lost) : c.queue === full
        ? queue.push(q)`
    ],
    // A transaction whose connection is lost is over, even if the connection has been made again.
    [
      `
    let savepoints = 0
      , connection
      , prepare = null
`,
      `
    let savepoints = 0
      , connection
      , lost = null
      , prepare = null
`
    ],
    [
      `
        new Promise((_, reject) => connection.onclose = reject)
`,
      `
        new Promise((_, reject) => lost ? reject(lost) : connection.onclose = e => (onlost(e), reject(e)))
`
    ],
    [
      `
        c.queue === full
          ? queries.push(q)`,
      `
        lost ? q.reject(lost) : c.queue === full
          ? queries.push(q)`
    ],
    [
      `
    function onexecute(c) {
      connection = c
`,
      `
    function onlost(e) {
      lost = e
      while (queries.length)
        queries.shift().reject(e)
    }

    function onexecute(c) {
      connection = c
      c.onclose = onlost
`
    ]
  ]
}

const revision = createHash('sha256').update(JSON.stringify(CHANGES)).digest('hex').slice(0, 12)
const mark = `// Patched by Postern's scripts/patch-postgres.js, revision ${revision}\n`
// An argument names another node_modules: for the image, and for the test.
const modules = process.argv[2] ?? fileURLToPath(new URL('../node_modules', import.meta.url))
const folder = join(modules, 'postgres')

const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
if (version !== VERSION) fail(`this is postgres ${version}, and the patch is for ${VERSION}`)

for (const source of ['src', 'cjs/src']) {
  for (const [name, changes] of Object.entries(CHANGES)) patch(join(folder, source, name), changes)
}

function patch(file, changes) {
  const original = readFileSync(file, 'utf8')
  if (original.startsWith(mark)) return
  let text = original
  for (const [from, to] of changes) {
    const pieces = text.split(from)
    if (pieces.length !== 2) fail(`${file} has ${pieces.length - 1} places, not 1, that read:${from}`)
    text = pieces.join(to)
  }
  // A file that another process reads meanwhile is the old one or the new one, never half of it.
  writeFileSync(`${file}.${process.pid}`, mark + text)
  renameSync(`${file}.${process.pid}`, file)
}

function fail(reason) {
  console.error(`scripts/patch-postgres.js: ${reason}\nReinstall postgres ${VERSION}, or renew or remove the patch.`)
  process.exit(1)
}
