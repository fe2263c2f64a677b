/**
 * A view and all that it shows is in the part of the URL after `#`, so that it can be sent to a colleague; a browser sends that
 * part to nobody.
 */
export function parse(hash = location.hash) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [view = '', id] = path.split('/').map(decodeURIComponent)
  return { view: view || 'overview', id, params: Object.fromEntries(new URLSearchParams(query)) }
}

/** The address of a view. Parameters without a value are left out. */
export function link(path, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const query = new URLSearchParams(given)
  return `#/${path}${query.size > 0 ? `?${query}` : ''}`
}

/** Goes there, or shows it anew where that is here. */
export function go(path, params) {
  const target = link(path, params)
  if (target === location.hash) dispatchEvent(new HashChangeEvent('hashchange'))
  else location.hash = target
}
