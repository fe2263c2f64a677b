import t from 'tap'
import { ApiError } from '../../src/errors.js'
import { parseForm, unescapeForm } from '../../src/features/oauth/form.js'

t.test('a form is read as the URL standard writes it', async (t) => {
  t.strictSame(parseForm(Buffer.from('token=a%2Bb+c&token_type_hint=caf%C3%A9')), {
    token: 'a+b c',
    token_type_hint: 'café'
  })
  t.strictSame(parseForm(Buffer.from('token=a=b==&empty=&bare')), { token: 'a=b==', empty: '', bare: '' })
  t.strictSame(parseForm(Buffer.alloc(0)), {})
})

t.test('a name from outside is only ever a name', async (t) => {
  const form = parseForm(Buffer.from('__proto__=x&constructor=y'))
  t.strictSame(Object.keys(form), ['__proto__', 'constructor'])
  t.equal(Object.getPrototypeOf(form), Object.prototype)
})

t.test('what two readers could take for two things is refused', async (t) => {
  for (const body of [
    'token=a&token=b',
    'token=a&t%6Fken=b',
    'token=a&&token_type_hint=b',
    'token=a&&',
    'token=%',
    'token=%zz',
    'token=%ff',
    'token=%c0%80',
    'token=%00',
    'token=a\0b',
    Buffer.from([0x74, 0x3d, 0xff])
  ]) {
    t.throws(() => parseForm(Buffer.from(body as string)), { code: 'invalid_request' }, JSON.stringify(body))
  }
})

t.test('a repeated parameter is named, and never its value', async (t) => {
  try {
    parseForm(Buffer.from('token=canary&token=canary'))
    t.fail('it was accepted')
  } catch (error) {
    t.type(error, ApiError)
    t.match((error as ApiError).options.errors, [{ field: 'token', code: 'repeated' }])
    t.notMatch(JSON.stringify((error as ApiError).options), /canary/)
  }
})

t.test('one value is unescaped, or undefined where that is not possible', async (t) => {
  t.equal(unescapeForm('a%3Ab+c'), 'a:b c')
  for (const text of ['%', '%e2%82', '%00']) t.equal(unescapeForm(text), undefined)
})
