/** The spans that can be looked at, each with the bars that fit into it and what the insights can look back. */
export const WINDOWS = [
  { name: '1h', text: '1 hour', bucket: '1m' },
  { name: '24h', text: '24 hours', bucket: '1h' },
  { name: '7d', text: '7 days', bucket: '4h' },
  { name: '30d', text: '30 days', bucket: '1d' },
  { name: '90d', text: '90 days', bucket: '1d' }
]

export const windowOf = (name) => WINDOWS.find((one) => one.name === name) ?? WINDOWS[1]
