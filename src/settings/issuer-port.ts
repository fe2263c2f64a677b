import { IDENTITY_SETTINGS } from './identity.js'

/**
 * The default issuer names a port. Where the service listens at another, what tokens and links say leads nowhere: then the
 * issuer that would fit is returned. Whoever has set one knows what stands before the service.
 */
export function fittingIssuer(issuer: string, port: number): string | undefined {
  if (issuer !== IDENTITY_SETTINGS.issuer.default) return undefined
  const fitting = new URL(issuer)
  if (Number(fitting.port) === port) return undefined
  fitting.port = String(port)
  return fitting.href
}
