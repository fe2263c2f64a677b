/** The spans that can be looked at, each with the bars that fit into it and what the insights can look back. */
export const WINDOWS = [
  { name: '1h', seconds: 3600, text: '1 hour', bucket: '1m' },
  { name: '24h', seconds: 86400, text: '24 hours', bucket: '1h' },
  { name: '7d', seconds: 604800, text: '7 days', bucket: '4h' },
  { name: '30d', seconds: 2592000, text: '30 days', bucket: '1d' },
  { name: '90d', seconds: 7776000, text: '90 days', bucket: '1d' }
]

export const windowOf = (name) => WINDOWS.find((one) => one.name === name) ?? WINDOWS[1]
