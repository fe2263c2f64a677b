import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createEmailViews, maskEmail } from '../../src/lib/email-view.js'

const authSecret = randomBytes(32)
const views = createEmailViews({ authSecret, authSecretPrevious: undefined })

t.test('of an email its first character and its domain are left, and of a short one the domain alone', async (t) => {
  t.equal(maskEmail('ada@example.com'), 'a••@example.com')
  t.equal(maskEmail('ad@example.com'), 'a••@example.com')
  t.equal(maskEmail('a@example.com'), '••@example.com')
})

t.test('every email within a value is masked, whatever its name, and nothing else', async (t) => {
  const value = {
    email: 'ada@example.com',
    nested: [{ actor_email: 'bob@example.org', count: 3, kid: 'a@b', flag: true, none: null }, 'ada@example.com'],
    text: 'write to ada@example.com'
  }
  t.strictSame(views.masked.within(value), {
    email: 'a••@example.com',
    nested: [{ actor_email: 'b••@example.org', count: 3, kid: 'a@b', flag: true, none: null }, 'a••@example.com'],
    text: 'write to ada@example.com'
  })
  t.equal(views.shown.within(value), value)
  t.strictSame(views.shown.ref('ada@example.com'), {})
  t.equal(views.masked.email(null), null)
})

t.test('a ref says nothing of its email, and only a service with the same secret reads it', async (t) => {
  const { email_ref: ref = '' } = views.masked.ref('ada@example.com')
  t.notMatch(ref, /ada|example/)
  t.equal(views.open(ref), 'ada@example.com')
  t.equal(
    createEmailViews({ authSecret: randomBytes(32), authSecretPrevious: authSecret }).open(ref),
    'ada@example.com'
  )
  t.equal(createEmailViews({ authSecret: randomBytes(32), authSecretPrevious: undefined }).open(ref), undefined)
  for (const other of ['', 'ada@example.com', 'ref_', 'ref_v1.AAAA', ref.slice(4), `${ref.slice(0, -4)}AAAA`]) {
    t.equal(views.open(other), undefined, other)
  }
  t.throws(() => createEmailViews({ authSecret: undefined, authSecretPrevious: undefined }))
})
