// Writes data/common-passwords.txt. Usage: node scripts/common-passwords.js LIST…
// Each LIST is a text file, plain or .gz, one password a line, the most common first. data/README.md names those used.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'

// Further down, a leaked list holds the passwords of single people. Long ones are rare, so they rank lower.
const CLASSIC = { ranks: 100_000, fits: fitsClassic }
const NIST = { ranks: 150_000, fits: (password) => password.length >= 15 }

const require = createRequire(import.meta.url)
const { dictionary } = require('@zxcvbn-ts/language-common')

const lists = [dictionary['passwords-common'], ...process.argv.slice(2).map(readList), variants()]
const entries = new Set()
for (const list of lists) {
  for (const [rank, entry] of list.entries()) {
    const password = entry.normalize('NFKC').toLowerCase()
    if (!/^[!-~]+(?: [!-~]+)*$/.test(password)) continue
    if (/@.*\.|&#?\w+;/.test(password)) continue // email addresses and HTML, leaked by accident
    if ([CLASSIC, NIST].some(({ ranks, fits }) => rank < ranks && fits(password))) entries.add(password)
  }
}
writeFileSync(new URL('../data/common-passwords.txt', import.meta.url), `${[...entries].sort().join('\n')}\n`)
console.log(`${entries.size} passwords`)

function readList(path) {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split(/\r*\n/)
}

/** Some spelling in capitals and small letters satisfies the classic rules. */
function fitsClassic(password) {
  return password.length >= 8 && /[a-z].*[a-z]/.test(password) && /[0-9]/.test(password)
}

/** What people make of a common word when a form asks for a capital, a digit and a sign, or for length. */
function variants() {
  const words = [
    ...['password', 'passw0rd', 'p@ssword', 'p@ssw0rd', 'pa$$word', 'pa$$w0rd', 'passwort', 'motdepasse', 'contrasena'],
    ...[
      'welcome',
      'qwerty',
      'qwertyuiop',
      'qwertz',
      'azerty',
      'admin',
      'administrator',
      'root',
      'user',
      'guest',
      'test'
    ],
    ...['letmein', 'changeme', 'secret', 'login', 'iloveyou', 'monkey', 'dragon', 'sunshine', 'princess', 'football'],
    ...['baseball', 'superman', 'batman', 'master', 'hello', 'abcd', 'abcdef', 'asdf', 'asdfgh', 'zxcvbn', 'default'],
    ...[
      'spring',
      'summer',
      'autumn',
      'winter',
      'january',
      'february',
      'march',
      'april',
      'may',
      'june',
      'july',
      'august'
    ],
    ...['september', 'october', 'november', 'december', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday']
  ]
  const endings = ['1', '01', '11', '12', '99', '123', '321', '1234', '12345', '123456', '12345678', '123456789']
  for (let year = 2015; year <= 2030; year += 1) endings.push(String(year), String(year).slice(2))
  const numbered = words.flatMap((word) =>
    endings.flatMap((ending) => [word + ending, `${word + ending}!`, `${word}@${ending}`, `${word}!${ending}`])
  )
  const repeated = words.flatMap((word) => [2, 3, 4].map((times) => word.repeat(times)))
  return [...numbered, ...repeated, ...repeated.map((word) => `${word}1`), 'correcthorsebatterystaple']
}
