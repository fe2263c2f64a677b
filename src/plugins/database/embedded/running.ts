import { existsSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { clusterUrl } from './cluster.js'
import { findServer } from './postmaster.js'

/** The URL of the server under `dataDir` that a running service has; undefined when none takes connections there. */
export async function findRunning(dataDir: string): Promise<string | undefined> {
  const place = join(resolve(dataDir), 'postgres')
  if (!existsSync(place)) return undefined
  const cluster = realpathSync(place)
  const server = await findServer(cluster)
  return server?.ready ? clusterUrl(cluster, server.socketFolder) : undefined
}
