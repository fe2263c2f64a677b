import t from 'tap'
import { functionsOf, type Import, type SourceFile, sourceFiles } from './fixtures/source.js'

const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 60
const MAX_HANDLER_LINES = 10

const files = sourceFiles()
const named = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path))

const isPackage = ({ to }: Import) => !to.endsWith('.ts')
const isLib = ({ to }: Import) => to.startsWith('lib/')
const isDrizzle = ({ to }: Import) => /^(?:drizzle-orm|postgres)(?:\/|$)/.test(to)
const isFastify = ({ to }: Import) => to === 'fastify' || to.startsWith('fastify-') || to.startsWith('@fastify/')
/** Tables of closed lists and the one error: they know nothing of either side. */
const isVocabulary = ({ to }: Import) => to === 'errors.ts' || to === 'events.ts'
const isPluginType = ({ to, typeOnly }: Import) => to.startsWith('plugins/') && typeOnly
const featureOf = (path: string) => /^features\/([^/]+)\//.exec(path)?.[1]
const pluginOf = (path: string) => /^plugins\/([^/]+?)(?:\/|\.ts$)/.exec(path)?.[1]

/** The features in the order of the register list. */
const features = [...(files.find(({ path }) => path === 'app.ts')?.text ?? '').matchAll(/await app\.register\((\w+)/g)]
  .map(([, name]) => importedFeature(name ?? ''))
  .filter((name) => name !== undefined)

function importedFeature(name: string): string | undefined {
  const app = files.find(({ path }) => path === 'app.ts')
  return new RegExp(`import ${name}\\b.* from './features/([^/]+)/`).exec(app?.text ?? '')?.[1]
}

/** Every import of these files that no rule allows, as `from → to`. */
function strays(these: SourceFile[], allowed: (imported: Import, file: SourceFile) => boolean): string[] {
  return these.flatMap((file) =>
    file.imports
      .filter((one) => !allowed(one, file))
      .map(({ to, typeOnly }) => `${file.path} → ${typeOnly ? 'type ' : ''}${to}`)
  )
}

/** Every line of these files that matches, as `file:line text`. Comments do not count. */
function matches(these: SourceFile[], pattern: RegExp): string[] {
  return these.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const code = /^\s*(?:\/\/|\/?\*)/.test(line) ? '' : line
      return pattern.test(code) ? [`${path}:${index + 1} ${line.trim()}`] : []
    })
  )
}

t.test('the source is where the rules look for it', async (t) => {
  for (const pattern of [/\/routes\.ts$/, /\/service\.ts$/, /\/store\.ts$/, /\/index\.ts$/, /^plugins\//, /^lib\//]) {
    t.ok(named(pattern).length > 0, String(pattern))
  }
  t.ok(features.length > 3)
  const unregistered = new Set(named(/^features\//).map(({ path }) => featureOf(path)))
  for (const feature of features) unregistered.delete(feature)
  t.strictSame([...unregistered], [], 'the register list has every feature')
})

t.test('routes speak to their service, and never to SQL or to another feature', async (t) => {
  const found = strays(named(/^features\/.*routes\.ts$/), (imported, { path }) => {
    const { to, typeOnly } = imported
    if (isPackage(imported)) return !isDrizzle(imported)
    if (isLib(imported) || to === 'errors.ts' || to === 'schemas.ts') return true
    if (featureOf(to) !== featureOf(path) || /\/(?:store|tables)\.ts$/.test(to)) return false
    return typeOnly || !to.endsWith('/service.ts')
  })
  t.strictSame(found, [])
  t.strictSame(matches(named(/^features\/.*routes\.ts$/), /\bapp\.db\b/), [])
})

t.test('services and use cases know neither HTTP nor SQL, and of other features only types', async (t) => {
  const useCases = named(/^features\/[^/]+\/(?!(?:(?:[a-z]+-)?(?:routes|schemas)|index|store|tables)\.ts$)/)
  const found = strays(useCases, (imported, { path }) => {
    const { to, typeOnly } = imported
    if (isPackage(imported)) return !isDrizzle(imported) && !isFastify(imported)
    if (isLib(imported) || isVocabulary(imported) || isPluginType(imported)) return true
    const own = featureOf(to) === featureOf(path)
    return own
      ? !/\/(?:routes|index)\.ts$/.test(to)
      : featureOf(to) !== undefined && typeOnly && !/\/(?:store|routes)\.ts$/.test(to)
  })
  t.strictSame(found, [])
})

t.test('stores and tables know SQL, and of other features only the tables of earlier ones', async (t) => {
  const found = strays(named(/^features\/.*\/(?:store|tables)\.ts$/), (imported, { path }) => {
    const { to, typeOnly } = imported
    if (isPackage(imported)) return !isFastify(imported)
    if (isLib(imported) || (typeOnly && to === 'plugins/database/index.ts')) return true
    const [own, other] = [featureOf(path) ?? '', featureOf(to) ?? '']
    if (own === other) return to.endsWith('/tables.ts') || typeOnly
    return to.endsWith('/tables.ts') && features.indexOf(other) < features.indexOf(own)
  })
  t.strictSame(found, [])
})

t.test("a feature's index and schemas have nothing to do with another feature", async (t) => {
  const found = strays(named(/^features\/[^/]+\/(?:index|(?:[a-z]+-)?schemas)\.ts$/), (imported, { path }) => {
    const { to } = imported
    if (isPackage(imported)) return !isDrizzle(imported)
    if (isLib(imported) || isVocabulary(imported) || isPluginType(imported) || to === 'schemas.ts') return true
    return featureOf(to) === featureOf(path)
  })
  t.strictSame(found, [])
})

t.test('a plugin knows no feature, and of other plugins only types', async (t) => {
  const found = strays(named(/^plugins\//), (imported, { path }) => {
    const { to } = imported
    if (isPackage(imported) || isLib(imported) || isVocabulary(imported) || to === 'schemas.ts') return true
    return pluginOf(to) === pluginOf(path) || isPluginType(imported)
  })
  t.strictSame(found, [])
})

t.test('lib imports nothing of the service, and the closed lists nothing but types', async (t) => {
  t.strictSame(
    strays(named(/^lib\//), (imported) => isPackage(imported) || isLib(imported)),
    []
  )
  t.strictSame(
    strays(named(/^(?:errors|events)\.ts$/), ({ typeOnly }) => typeOnly),
    []
  )
})

t.test('only config.ts reads the environment', async (t) => {
  t.strictSame(
    matches(named(/^(?!config\.ts$)/), /\bprocess\s*(?:\.\s*env|\[\s*['"]env)|\benv\s*\}\s*=\s*process\b/),
    []
  )
})

t.test('only the clock plugin asks for the time', async (t) => {
  t.strictSame(matches(named(/^(?!plugins\/clock\.ts$)/), /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)/), [])
})

t.test('no answer goes around the serializer of its schema', async (t) => {
  t.strictSame(matches(files, /\.(?:serializer|setReplySerializer|hijack)\(/), [])
})

interface Statement {
  path: string
  line: number
  text: string
}

/** Every route: the statement that registers it. */
function routeStatements(): Statement[] {
  return named(/^(?:features|plugins)\//).flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const [, indentation] =
        /^(\s*)(?:app|scope)\s*\.(?:get|head|post|put|patch|delete|options|all|route)\b/.exec(line) ?? []
      if (indentation === undefined) return []
      const rest = lines.slice(index)
      const end = rest.findIndex((one) => one.startsWith(`${indentation})`) || one.startsWith(`${indentation}})`))
      return [{ path, line: index + 1, text: rest.slice(0, Math.max(end, 0) + 1).join('\n') }]
    })
  )
}

t.test('every route says who may call it and what it answers (the boot refuses it otherwise)', async (t) => {
  const routes = routeStatements()
  t.ok(routes.length > 5)
  for (const { path, line, text } of routes) {
    t.match(text, /\baccess\b/, `${path}:${line} declares its access`)
    t.match(text, /\bresponse\b/, `${path}:${line} declares its responses`)
  }
})

t.test('the routes of a feature are in its routes.ts, and a handler has at most ten lines and no if', async (t) => {
  const found = routeStatements().flatMap(({ path, line, text }) => {
    const handlers = functionsOf({ lines: text.split('\n') })
    const long = handlers.filter(
      ({ body }) => body.length > MAX_HANDLER_LINES || body.some((one) => /\bif \(/.test(one))
    )
    const isInPlace = path.endsWith('routes.ts') || path.startsWith('plugins/')
    return isInPlace && long.length === 0 ? [] : [`${path}:${line}`]
  })
  t.strictSame(found, [])
})

t.test(`no file is longer than ${MAX_FILE_LINES} lines`, async (t) => {
  const found = files
    .filter(({ lines }) => lines.length > MAX_FILE_LINES)
    .map(({ path, lines }) => `${path}: ${lines.length}`)
  t.strictSame(found, [])
})

t.test(`no function is longer than ${MAX_FUNCTION_LINES} lines`, async (t) => {
  const found = files.flatMap(({ path, lines }) =>
    functionsOf({ lines })
      // A routes plugin is a list; its handlers have a limit of their own.
      .filter(
        ({ size, head }) =>
          size > MAX_FUNCTION_LINES && !(path.endsWith('routes.ts') && head.startsWith('const routes'))
      )
      .map(({ line, size }) => `${path}:${line} ${size}`)
  )
  t.strictSame(found, [])
})

t.test('the reader of the source sees what it should', async (t) => {
  const long = [
    'function a(',
    '  b: string',
    '): void {',
    ...Array.from({ length: 70 }, () => '  b()'),
    '}',
    'const c = 1'
  ]
  t.match(functionsOf({ lines: long }), [{ line: 1, size: 74 }])
  t.strictSame(functionsOf({ lines: ['if (a) {', '  b()', '}', 'const a = {', '  b', '}'] }), [])
  t.match(functionsOf({ lines: ['  const a = async () => {', '    b()', '', '    c()', '  }'] }), [
    { line: 1, size: 5 }
  ])
  const clock = files.find(({ path }) => path === 'plugins/clock.ts')
  t.strictSame(clock?.imports, [{ to: 'fastify-plugin', typeOnly: false }])
  const app = files.find(({ path }) => path === 'app.ts')
  t.match(app?.imports, [{ to: 'fastify' }, { to: 'config.ts', typeOnly: true }])
  const users = files.find(({ path }) => path === 'features/users/store.ts')
  t.ok(users?.imports.some(({ to }) => to === 'features/users/tables.ts'))
  t.ok(
    matches([{ ...(app as SourceFile), lines: ['const a = Date.now()', '// Date.now()'] }], /Date\.now/).length === 1
  )
})
