import { Router } from 'express';
import { SignJWT } from 'jose';
import { createChatRoutes } from './chat-routes.ts';
import { DEMO_COMPANY } from './catalogue.ts';

interface DemoRoutesDeps {
  jwtSecret: string;
  issuer?: string | undefined;
  audience?: string | undefined;
  timeZone: string;
  /** Address of the demo bot. Without it there is no chat panel. */
  botUrl?: string | undefined;
}

const TOKEN_LIFETIME = '15m';

/** The routes under `/demo`. `POST /demo/token` signs a token for the demo company, without a login. */
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
