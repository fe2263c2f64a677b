import t from 'tap'
import { ErrorReply, encodeCommand, ReplyReader } from '../../src/plugins/rate-limit/redis/resp.js'

const STREAM = '+OK\r\n:42\r\n:-1\r\n$5\r\na\r\né\r\n$-1\r\n$0\r\n\r\n*3\r\n:1\r\n$1\r\nx\r\n*1\r\n+y\r\n*-1\r\n*0\r\n'
const REPLIES = ['OK', 42, -1, 'a\r\né', null, '', [1, 'x', ['y']], null, []]

t.test('answers are read whole, wherever the network has cut them', async (t) => {
  const bytes = Buffer.from(STREAM)
  t.strictSame(new ReplyReader().push(bytes), REPLIES)
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const reader = new ReplyReader()
    t.strictSame([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))], REPLIES, `at ${cut}`)
  }
  const reader = new ReplyReader()
  t.strictSame(
    [...bytes].flatMap((byte) => reader.push(Buffer.from([byte]))),
    REPLIES
  )
})

t.test('of an error only its code is kept: the rest may repeat what was sent', async (t) => {
  const codes: Record<string, string> = {
    'READONLY You cannot write against a read only replica.': 'READONLY',
    WRONGPASS: 'WRONGPASS',
    "ERR unknown command 'AUTH', with args beginning with: 'canary'": 'ERR',
    'canary is no code': 'ERR',
    '': 'ERR'
  }
  for (const [line, code] of Object.entries(codes)) {
    const [reply] = new ReplyReader().push(Buffer.from(`-${line}\r\n`))
    t.ok(reply instanceof ErrorReply)
    t.strictSame({ ...(reply as ErrorReply) }, { code })
  }
})

t.test('what is no answer of Redis is refused at once, and what never ends before it fills the memory', async (t) => {
  const wrong = [
    'HTTP/1.1 400 Bad Request\r\n',
    '\r\n',
    ':1e3\r\n',
    ':\r\n',
    ':99999999999999999999\r\n',
    '$-2\r\n',
    '$99999999\r\n',
    '*99999999\r\n',
    `${'*1\r\n'.repeat(6)}:1\r\n`,
    `+${'a'.repeat(20_000)}`
  ]
  for (const text of wrong) {
    t.throws(() => new ReplyReader().push(Buffer.from(text)), { name: 'ProtocolError' }, text.slice(0, 30))
  }
})

t.test('a command is sent as a list of texts with their lengths in bytes', async (t) => {
  t.equal(encodeCommand(['SET', 'é\r\n', 1]), '*3\r\n$3\r\nSET\r\n$4\r\né\r\n\r\n$1\r\n1\r\n')
})
