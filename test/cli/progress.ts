import t from 'tap'
import { createProgress } from '../../src/cli/progress.js'

function stream(isTTY: boolean, columns = 20) {
  const written: string[] = []
  return {
    written,
    as: { isTTY, columns, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream
  }
}

t.test('on a terminal progress is one line that is written over, and nothing at the end', async (t) => {
  const { written, as } = stream(true)
  const progress = createProgress(as)
  progress.say('one')
  progress.say('two, which is longer than the terminal is wide')
  progress.end()
  t.strictSame(written, ['\r\u001b[Kone', '\r\u001b[Ktwo, which is longe', '\r\u001b[K'])
})

t.test('in a pipe nothing is shown of it', async (t) => {
  const { written, as } = stream(false)
  const progress = createProgress(as)
  progress.say('one')
  progress.end()
  t.strictSame(written, [])
})
