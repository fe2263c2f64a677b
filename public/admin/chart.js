import { append, h } from './dom.js'
import { clock, compact, count, day } from './format.js'
import uPlot from './vendor/uplot.js'

const HEIGHT = 230
const DARK = matchMedia('(prefers-color-scheme: dark)')

/**
 * Counts over time, stacked. `kinds` are `{name, title, color}`, the lowest first; `buckets` are `{from, to, counts, marks}` in
 * milliseconds, whole and in order; `open` is called for the bucket that was chosen by pointer or keyboard.
 */
export function stackedChart({ label, kinds, buckets, open, signal }) {
  const canvas = h('div', { className: 'plot' })
  const tip = h('div', { className: 'tip', hidden: true })
  const figure = h(
    'div',
    {
      className: 'chart',
      tabIndex: 0,
      role: 'group',
      'aria-label': `${label}. Arrow keys move, Enter opens the list.`
    },
    canvas,
    tip
  )
  const spoken = h('p', { className: 'unseen', role: 'status' })
  let plot
  let chosen

  function choose(index) {
    chosen = index
    const bucket = buckets[index]
    tip.hidden = bucket === undefined
    if (bucket === undefined || plot === undefined) return
    tip.replaceChildren(...describe(bucket, kinds))
    const middle = plot.valToPos((bucket.from + bucket.to) / 2000, 'x') + plot.bbox.left / devicePixelRatio
    const room = figure.clientWidth - tip.offsetWidth
    tip.style.translate = `${Math.max(0, Math.min(room, middle - tip.offsetWidth / 2))}px 0`
  }

  function draw() {
    plot?.destroy()
    plot = new uPlot(options({ kinds, buckets, width: canvas.clientWidth, choose }), data(kinds, buckets), canvas)
  }

  figure.addEventListener('keydown', (event) => {
    const last = buckets.length - 1
    const moves = { ArrowLeft: (chosen ?? last + 1) - 1, ArrowRight: (chosen ?? -1) + 1, Home: 0, End: last }
    if (event.key === 'Enter' && chosen !== undefined) open(buckets[chosen])
    if (event.key === 'Escape') choose(undefined)
    if (!(event.key in moves)) return
    event.preventDefault()
    choose(Math.max(0, Math.min(last, moves[event.key])))
    spoken.textContent = tip.textContent
  })
  figure.addEventListener('blur', () => choose(undefined))
  canvas.addEventListener('click', () => {
    if (chosen !== undefined) open(buckets[chosen])
  })
  const size = new ResizeObserver(() => {
    if (canvas.clientWidth === 0) return
    if (plot === undefined) draw()
    else plot.setSize({ width: canvas.clientWidth, height: HEIGHT })
  })
  size.observe(canvas)
  DARK.addEventListener('change', draw, { signal })
  signal.addEventListener('abort', () => {
    size.disconnect()
    plot?.destroy()
  })
  return append(h('div'), [figure, spoken])
}

function describe({ from, to, counts, marks }, kinds) {
  const span = to - from >= 86_400_000 ? day(from) : `${day(from)}, ${clock(from)}–${clock(to)}`
  const lines = kinds
    .filter(({ name }) => counts[name] > 0)
    .map(({ name, title }) => h('span', {}, h('i', { className: `swatch ${name}` }), `${count(counts[name])} ${title}`))
  const notes = marks.map(({ text }) => h('span', { className: 'mark' }, text))
  const none = lines.length === 0 && notes.length === 0 ? [h('span', {}, 'nothing')] : []
  return [h('strong', {}, span), ...lines.reverse(), ...notes, ...none]
}

/** uPlot paints what comes later over what came before: so the highest sum is the first. */
function data(kinds, buckets) {
  const sums = kinds.map((_, index) =>
    buckets.map(({ counts }) => kinds.slice(0, index + 1).reduce((sum, { name }) => sum + counts[name], 0))
  )
  return [buckets.map(({ from }) => from / 1000), ...sums.reverse()]
}

function options({ kinds, buckets, width, choose }) {
  const style = getComputedStyle(document.documentElement)
  const color = (name) => style.getPropertyValue(`--${name}`).trim()
  const font = `11px ${style.fontFamily}`
  const [first, last] = [buckets[0].from / 1000, buckets.at(-1).to / 1000]
  const length = (last - first) / buckets.length
  const axis = { stroke: color('soft'), font, ticks: { show: false }, grid: { stroke: color('line'), width: 1 } }
  const bars = uPlot.paths.bars({ size: [0.82, 64], align: 1, gap: 1 })
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    padding: [18, 14, 0, 0],
    scales: { x: { range: [first, last] }, y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.05)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, gap: 4, values: (_plot, times) => labels(times, last) },
      {
        ...axis,
        size: 46,
        gap: 6,
        values: (_plot, values) => values.map((v) => (Number.isInteger(v) ? compact(v) : ''))
      }
    ],
    series: [
      {},
      ...kinds.toReversed().map(({ name }) => ({ fill: color(name), width: 0, paths: bars, points: { show: false } }))
    ],
    cursor: {
      y: false,
      x: false,
      points: { show: false },
      drag: { x: false, y: false },
      dataIdx: (_plot, _series, _closest, at) =>
        Math.max(0, Math.min(buckets.length - 1, Math.floor((at - first) / length)))
    },
    hooks: {
      setCursor: [(plot) => choose(plot.cursor.left < 0 ? undefined : (plot.cursor.idx ?? undefined))],
      draw: [(plot) => drawMarks(plot, buckets, color)]
    }
  }
}

/** The day where one begins, else the hour. */
function labels(times, last) {
  const name = (at) => (at % 86_400_000 === 0 ? day(at) : clock(at))
  // At the very end half of it would be cut off.
  return times.map((seconds) => (seconds === last ? '' : name(seconds * 1000)))
}

/** A line through the bucket in which a key was changed or an instance came up, with a sign at its head. */
function drawMarks({ ctx, bbox, valToPos }, buckets, color) {
  ctx.save()
  for (const { from, to, marks } of buckets) {
    for (const [index, { kind }] of marks.entries()) {
      const size = 4 * devicePixelRatio
      // Two in one bucket stand side by side.
      const x = valToPos((from + to) / 2000, 'x', true) + (index - (marks.length - 1) / 2) * size * 2.6
      ctx.strokeStyle = ctx.fillStyle = color(kind)
      ctx.lineWidth = devicePixelRatio
      ctx.setLineDash([2 * devicePixelRatio, 2 * devicePixelRatio])
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      ctx.beginPath()
      const y = bbox.top - size * 1.8
      if (kind === 'rotation') ctx.rect(x - size, y - size, 2 * size, 2 * size)
      else ctx.arc(x, y, size, 0, 2 * Math.PI)
      ctx.fill()
    }
  }
  ctx.restore()
}
