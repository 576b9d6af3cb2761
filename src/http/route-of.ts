import type { Request } from 'express';

/** The pattern of the route that handled a request, for logs. Never the path itself, which can contain anything. */
export function routeOf(req: Request): string | undefined {
  const route = req.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? `${req.baseUrl}${route.path}` : undefined;
}
