import type { Request } from 'express';

/** The route that took a request, for logs: never the path itself, in which a caller may have put anything. */
export function routeOf(req: Request): string | undefined {
  const route = req.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? `${req.baseUrl}${route.path}` : undefined;
}
