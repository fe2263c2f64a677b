import type { Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { updateEnded } from './store.js'
import type { SessionOwner } from './types.js'

/**
 * A refresh token that had been replaced came back: somebody has a copy (RFC 9700, section 4.14.2). Ends its session,
 * whose lock the caller holds. The caller commits this, and only then answers `refresh_token_reused`.
 */
export async function endReused(tx: Db, events: Events, client: Client, owner: SessionOwner): Promise<void> {
  await updateEnded(tx, owner.sessionId)
  await events.record(tx, client, {
    type: 'refresh_reuse_detected',
    success: false,
    reason: 'refresh_reused',
    ...owner
  })
}
