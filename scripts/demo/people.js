import { v7 as uuidv7 } from 'uuid'

const DAY = 86_400_000

const FIRST =
  'ada alan amara anders anika ben bea carla cem chiara daniel dara elif emil esra farid fatima felix finn frida grace greta hana hugo ida igor ines ivo jana jonas juno kai kofi lea leon lina lucia luca maja malik marta mei milan mira nadia nils noor olga omar oskar pia priya quentin ravi rosa ruth sami sara selma sofia tariq tessa theo tove uma vera viktor wanda wei yara yusuf zoe'.split(
    ' '
  )
const LAST =
  'abel adler arslan bauer becker berg blum bosch brandt caruso costa danso diaz dietz eide engel farkas ferrari fischer gallo garcia hahn hansen haas iqbal ito jansen jung kaya keller khan klein koch kovac kraus lang lindt lopez lund maier marino mensah meyer moreau mori neri novak okafor olsen ortiz pavlov peters pohl quist rao reis ricci rossi roth sato sauer silva simon stein suzuki tanaka toth vogel wagner weber winter wolf yilmaz young zeller'.split(
    ' '
  )
const DOMAINS = ['example.com', 'example.com', 'example.org', 'example.net', 'mail.example.com', 'post.example.org']

export const AGENTS = {
  windows:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  edge: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
  mac: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  linux: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  iphone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
  script: 'python-requests/2.32.3'
}

/** Some people behind the addresses of a few offices, the others each at home; the ranges are those of documents and carriers. */
function homeOf(chance, n) {
  if (chance.is(0.25)) return `198.51.100.${chance.whole(10, 17)}`
  if (chance.is(0.3))
    return `2001:db8:${(n >> 4).toString(16)}:${(n & 15).toString(16)}::${chance.whole(2, 0xffff).toString(16)}`
  return `100.${64 + (n % 63)}.${chance.whole(0, 255)}.${chance.whole(1, 254)}`
}

/** `number` people, of whom a third sign up in the time from `from` to `to`, and the others have done so before. */
export function createPeople(chance, { number, from, to }) {
  const taken = new Set()
  return Array.from({ length: number }, (_, n) => {
    const since = chance.is(0.34) ? chance.between(from, to - DAY / 2) : from - chance.between(1, 300) * DAY
    const home = homeOf(chance, n)
    const desk = chance.pick(['windows', 'windows', 'edge', 'mac', 'linux'])
    const phone = chance.pick(['iphone', 'android'])
    return {
      id: uuidv7({ msecs: since }),
      email: newEmail(chance, taken),
      since,
      /** How likely a day is one on which something is done. */
      habit: chance.pick([0.05, 0.2, 0.45, 0.75]),
      places: [
        { agent: AGENTS[desk], address: home },
        ...(chance.is(0.6)
          ? [{ agent: AGENTS[phone], address: `100.${127 - (n % 20)}.${n & 255}.${chance.whole(1, 254)}` }]
          : [])
      ],
      lastLogin: undefined
    }
  })
}

function newEmail(chance, taken) {
  for (;;) {
    const [first, last] = [chance.pick(FIRST), chance.pick(LAST)]
    const local = chance.pick([
      `${first}.${last}`,
      `${first[0]}${last}`,
      `${first}${chance.whole(70, 99)}`,
      `${first}_${last}`
    ])
    const email = `${local}@${chance.pick(DOMAINS)}`
    if (taken.has(email)) continue
    taken.add(email)
    return email
  }
}
