/**
 * Entry file of the demo's API: the API, and the routes under `/demo`. `POST /demo/token` signs a token without a login, so
 * `npm start` runs this file only if it generated all secrets itself, and `src/api/main.ts` otherwise.
 */
import { env } from 'node:process';
import { Router } from 'express';
import { runApi } from '../src/api/run-api.ts';
import { ConfigError, loadApiConfig } from '../src/config.ts';
import { createDemoRouter } from './demo-routes.ts';
import { readDemoSettings } from './demo-settings.ts';

await runApi(() => {
  const config = loadApiConfig(env);
  const { botUrl, timeZone } = readDemoSettings(env);
  if (config.SOCKET_JWT_SECRET === undefined) throw new ConfigError(['SOCKET_JWT_SECRET is required']);
  const demo = createDemoRouter({
    jwtSecret: config.SOCKET_JWT_SECRET,
    issuer: config.SOCKET_JWT_ISSUER,
    audience: config.SOCKET_JWT_AUDIENCE,
    timeZone,
    botUrl,
  });
  return {
    config,
    routes: Router().use('/demo', demo),
    connectOrigins: botUrl === undefined ? [] : [botUrl],
  };
});
