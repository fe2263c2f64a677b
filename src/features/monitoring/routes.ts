import { type Static, Type } from '@sinclair/typebox'
import { preferredType } from '../../lib/accept.js'
import type { EmailViews } from '../../lib/email-view.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import {
  AdminInsightList,
  AdminStats,
  EVENT_FORMATS,
  EventsAnswer,
  EventsQuery,
  InsightsQuery,
  LiveAnswer,
  LiveQuery,
  limit,
  presentEvents,
  presentInsights,
  presentStats,
  StatsQuery
} from './schemas.js'
import type { ExportFormat, Live, Monitoring } from './service.js'

type Query = Static<typeof EventsQuery>

interface MonitoringOptions {
  monitoring: Monitoring
  live: Live
  emails: EmailViews
}

const BACKLOG = 60

/** The access rule has judged it: there is one, and it has this form. */
const tokenOf = ({ authorization = '' }: { authorization?: string | undefined }) =>
  authorization.slice('bearer '.length)

const routes: Routes<MonitoringOptions> = async (app, { monitoring, live, emails: views }) => {
  const page = async ({ limit: size, emails = 'shown', ...query }: Query) =>
    presentEvents(await monitoring.listEvents(query, limit.parse(size)), views[emails])
  const stream =
    (format: ExportFormat) =>
    async ({ limit: size, emails = 'shown', ...query }: Query) =>
      await monitoring.exportEvents(query, {
        format,
        limit: size === undefined ? size : Number(size),
        emails: views[emails]
      })
  const events = { 'application/json': page, 'application/x-ndjson': stream('ndjson'), 'text/csv': stream('csv') }

  app.get(
    '/events',
    {
      config: { access: 'admin', action: 'events.list', formats: EVENT_FORMATS },
      schema: {
        operationId: 'adminListEvents',
        summary: 'The trail, newest first, with any filters',
        description:
          'With `Accept: application/x-ndjson` or `text/csv` all of it, as a stream. A stream that ends without its last chunk broke off.',
        tags: ['admin'],
        querystring: EventsQuery,
        response: { 200: EventsAnswer, ...errorResponses }
      }
    },
    async ({ headers, query }, reply) => {
      const type = preferredType(headers.accept, EVENT_FORMATS)
      const answer = await events[type](query)
      return reply.type(`${type}; charset=utf-8`).send(answer as never)
    }
  )

  app.get(
    '/events/live',
    {
      config: { access: 'admin', action: 'events.live' },
      schema: {
        operationId: 'adminFollowEvents',
        summary: 'The trail as it grows, as a stream',
        description:
          'It ends when the token is good no more, and after ten minutes. A line `{"missed":true}` stands for events that came too fast.',
        tags: ['admin'],
        querystring: LiveQuery,
        response: { 200: LiveAnswer, ...errorResponses }
      }
    },
    async ({ headers, query: { emails = 'shown' } }, reply) => {
      const stream = await live.open({ token: tokenOf(headers), emails: views[emails], backlog: BACKLOG })
      return reply.type('application/x-ndjson; charset=utf-8').send(stream as never)
    }
  )

  app.get(
    '/insights',
    {
      config: { access: 'admin', action: 'insights.list' },
      schema: {
        operationId: 'adminListInsights',
        summary: 'Suspicious patterns, each with its evidence and what to do',
        tags: ['admin'],
        querystring: InsightsQuery,
        response: { 200: Type.Ref(AdminInsightList), ...errorResponses }
      }
    },
    async ({ query: { window, emails = 'shown' } }) => presentInsights(await monitoring.insights(window), views[emails])
  )

  app.get(
    '/stats',
    {
      config: { access: 'admin', action: 'stats.get' },
      schema: {
        operationId: 'adminGetStats',
        summary: 'Counts over time by type and outcome',
        tags: ['admin'],
        querystring: StatsQuery,
        response: { 200: Type.Ref(AdminStats), ...errorResponses }
      }
    },
    async ({ query }) => presentStats(await monitoring.stats(query.window, query.bucket))
  )
}

export default routes
