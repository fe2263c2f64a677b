/**
 * An element. `props` are properties of the element (`onclick`, `className`, `htmlFor`), or attributes where the name has a
 * hyphen or stands in `attrs`. Children are nodes or text, and text stays text: nothing here reads markup.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  const { attrs = {}, ...rest } = props
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue
    if (name.includes('-') || name === 'role') element.setAttribute(name, value)
    else element[name] = value
  }
  for (const [name, value] of Object.entries(attrs)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  append(element, children)
  return element
}

/** The same for SVG, where everything is an attribute. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  append(element, children)
  return element
}

/** Adds what there is: absent children are left out, lists are flat. */
export function append(element, children) {
  element.append(...children.flat(9).filter((child) => child !== undefined && child !== null && child !== false))
  return element
}

/** Puts the element where `fraction` of its track is. Style properties set by script are within the content policy. */
export function place(element, from, to) {
  element.style.insetInlineStart = `${(from * 100).toFixed(3)}%`
  if (to !== undefined) element.style.inlineSize = `${((to - from) * 100).toFixed(3)}%`
  return element
}

export function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
}
