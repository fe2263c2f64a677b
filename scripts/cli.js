// Writes the commands of docs/cli.md from their definitions.
// Usage: npm run build && node scripts/cli.js
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const { withCommands } = await import(new URL('dist/cli/document.js', root).href)
const { createProgram } = await import(new URL('dist/cli/program.js', root).href)

const path = fileURLToPath(new URL('docs/cli.md', root))
writeFileSync(path, withCommands(readFileSync(path, 'utf8'), createProgram()))
