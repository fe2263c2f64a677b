/** By how much the clocks of an issuer and a verifier may differ (RFC 7519, 4.1.4). */
export const LEEWAY_SECONDS = 5
