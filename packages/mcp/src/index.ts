/**
 * The parts of the command, for an application that serves several customers: it creates the tools of a customer after the login.
 *
 * @example
 * ```ts
 * const context = { companyId, customerId, timeZone: 'Europe/Berlin' };
 * const realtime = createRealtimeAppointments({ logger });
 * const tools = createTools({ calendar: await openCalendar(context), context, realtime, logger, onError: console.error });
 * const server = await startHttpServer({
 *   tools,
 *   host: '127.0.0.1',
 *   port: 3002,
 *   token,
 *   allowedHosts: [],
 *   onError: console.error,
 * });
 * // at the end: server.close(), tools.close(), realtime.close(), calendar.close()
 * ```
 */
export type { CustomerCalendar, CalendarContext, Choices, FreePeriod, OpenCalendar } from './calendar.ts';
export { createTools, type McpTool, type McpToolResult, type McpTools, type ToolsDeps } from './tools.ts';
export { startHttpServer, type McpHttpServer, type McpHttpServerOptions } from './http.ts';
export { startStdioServer, type McpStdioServer, type McpStdioServerOptions } from './stdio.ts';
