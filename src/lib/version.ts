import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './package-root.js'

/** The version in package.json. Operators see it; no answer under /auth carries it but the OpenAPI document. */
export const version: string = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version
