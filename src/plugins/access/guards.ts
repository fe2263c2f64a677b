import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from '../../errors.js'
import type { AccessClaims } from '../jwt/types.js'
import { bearerToken } from './bearer.js'
import { createMetricsCheck } from './metrics-token.js'
import { requireOwner } from './owner.js'
import type { Access, ClientCheck, Identity, SessionCheck } from './types.js'

export type Guard = (request: FastifyRequest) => Promise<void>

/** Given by later plugins, while the app boots. */
export interface Checks {
  session?: SessionCheck
  client?: ClientCheck
}

/** Requests that had no bearer, and those whose bearer was good, session and all. */
export interface Counts {
  missing: number
  accepted: number
}

interface GuardOptions {
  checks: Checks
  counts: Counts
  metricsToken: string | undefined
}

/** One guard for each kind of access: it refuses by throwing, and puts what it has learned on the request. */
export function createGuards(
  app: FastifyInstance,
  { checks, counts, metricsToken }: GuardOptions
): Record<Access, Guard> {
  const checkMetrics = createMetricsCheck(metricsToken)

  async function claimsOf({ headers }: FastifyRequest): Promise<AccessClaims> {
    const token = bearerToken(headers.authorization)
    if (token !== undefined) return app.accessTokens.check(token)
    counts.missing += 1
    throw new ApiError('missing_token')
  }

  async function bearer(request: FastifyRequest): Promise<void> {
    const claims = await claimsOf(request)
    const { userId, email, role } = await required(checks.session)(claims)
    request.identity = { userId, email, role, sessionId: claims.sessionId }
    counts.accepted += 1
  }

  return {
    public: async () => undefined,
    bearer,
    owner: async (request) => {
      await bearer(request)
      requireOwner(request.params, request.identity)
    },
    admin: async (request) => {
      await bearer(request)
      requireAdmin(request.identity)
    },
    client: async (request) => {
      request.clientId = await required(checks.client)(request.headers.authorization)
    },
    'optional-bearer': async (request) => {
      // Credentials of another scheme are no bearer: the refresh token speaks then.
      if (bearerToken(request.headers.authorization) === undefined) return
      const { userId, email, sessionId } = await claimsOf(request)
      // Nobody asked the database, so that nobody is an admin here.
      request.identity = { userId, email, sessionId, role: 'user' }
      counts.accepted += 1
    },
    metrics: async ({ headers }) => checkMetrics(headers.authorization)
  }
}

/** Fails closed where something that the boot ought to have ensured is absent. */
export function required<T>(check: T | undefined): T {
  if (check === undefined) throw new Error('a check of the access plugin is absent')
  return check
}

function requireAdmin({ userId, email, sessionId, role }: Identity): void {
  if (role === 'admin') return
  throw new ApiError('admin_required', {
    audit: { type: 'admin_denied', success: false, reason: 'not_admin', userId, email, sessionId }
  })
}
