import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { entityTag } from '../../lib/entity-tag.js'
import { packageRoot } from '../../lib/package-root.js'

export interface PageFile {
  /** Below `/admin/`; empty for the page itself. */
  path: string
  folder: string
  name: string
  type: string
  /** Of its bytes. A time would not do: a package from a registry has the same one in every version. */
  tag: string
}

const INDEX = 'index.html'
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  // RFC 9239: the other names of it are obsolete.
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml'
}

/** What the charts are drawn with, from its own package: no build, and no copy that grows old. */
const VENDORED = { 'vendor/uplot.js': 'uplot/dist/uPlot.esm.js', 'vendor/uplot.css': 'uplot/dist/uPlot.min.css' }

/** Every file of the page: a closed list, read once. What is not on it cannot be asked for. */
export function pageFiles(): PageFile[] {
  const folder = join(packageRoot(), 'public', 'admin')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  const own = names
    .filter((name) => extname(name) in TYPES)
    .map((name) => file(name === INDEX ? '' : name, folder, name))
  const { resolve } = createRequire(import.meta.url)
  const vendored = Object.entries(VENDORED).map(([path, module]) => {
    const place = resolve(module)
    return file(path, dirname(place), place.slice(dirname(place).length + 1))
  })
  return [...own, ...vendored]
}

function file(path: string, folder: string, name: string): PageFile {
  const type = `${TYPES[extname(name)]}; charset=utf-8`
  return { path, folder, name, type, tag: entityTag(readFileSync(join(folder, name), 'utf8')) }
}
