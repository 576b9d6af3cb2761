import { Router } from 'express';
import { SignJWT } from 'jose';
import { createChatRoutes } from './chat-routes.ts';
import { DEMO_COMPANY } from './demo-company.ts';

/** Settings that `npm start` sets for the demo, and those of the API's tokens. */
export interface DemoSettings {
  DEMO_MODE: boolean;
  DEMO_BOT_URL?: string | undefined;
  DASHBOARD_TIME_ZONE: string;
  SOCKET_JWT_SECRET?: string | undefined;
  SOCKET_JWT_ISSUER?: string | undefined;
  SOCKET_JWT_AUDIENCE?: string | undefined;
}

interface DemoRoutesDeps {
  jwtSecret: string;
  issuer?: string | undefined;
  audience?: string | undefined;
  timeZone: string;
  /** Address of the demo bot. Without it there is no chat panel. */
  botUrl?: string | undefined;
}

const TOKEN_LIFETIME = '15m';

/** The routes of the demo; undefined if this is not the demo. */
export function demoRoutesOf(settings: DemoSettings): Router | undefined {
  if (!settings.DEMO_MODE || settings.SOCKET_JWT_SECRET === undefined) return undefined;
  return createDemoRouter({
    jwtSecret: settings.SOCKET_JWT_SECRET,
    issuer: settings.SOCKET_JWT_ISSUER,
    audience: settings.SOCKET_JWT_AUDIENCE,
    timeZone: settings.DASHBOARD_TIME_ZONE,
    botUrl: settings.DEMO_BOT_URL,
  });
}

/** `/demo/*`. It exists only if `npm start` generated the secrets. `POST /demo/token` signs a token for the demo company. */
export function createDemoRouter({ jwtSecret, issuer, audience, timeZone, botUrl }: DemoRoutesDeps): Router {
  const router = Router();
  if (botUrl !== undefined) router.use('/chat', createChatRoutes(botUrl));
  const key = new TextEncoder().encode(jwtSecret);
  router.post('/token', async (_req, res) => {
    const claims = new SignJWT({ companyId: DEMO_COMPANY.id })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(TOKEN_LIFETIME);
    if (issuer !== undefined) claims.setIssuer(issuer);
    if (audience !== undefined) claims.setAudience(audience);
    res.set('Cache-Control', 'no-store').json({
      token: await claims.sign(key),
      companyId: DEMO_COMPANY.id,
      companyName: DEMO_COMPANY.name,
      timeZone,
    });
  });
  return router;
}
