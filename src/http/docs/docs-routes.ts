import { Router } from 'express';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import { createAsyncApi } from './asyncapi.ts';
import { createOpenApi } from './openapi.ts';

/**
 * `/openapi.json`, `/asyncapi.json` and the page `/docs`. All are public: they describe shapes and contain no data. Each
 * document is one Buffer that all responses share, so a response that waits for its client holds no copy.
 */
export function createDocsRoutes(model: AppointmentModel, basePath: string): Router {
  const router = Router();
  const serve = (path: string, document: object): void => {
    const body = Buffer.from(JSON.stringify(document));
    router.get(path, (_req, res) => {
      res.type('json').send(body);
    });
  };
  serve('/openapi.json', createOpenApi(model, basePath));
  serve('/asyncapi.json', createAsyncApi(model, basePath));
  // The page is docs/index.html of the built pages. Without this, /docs would be redirected to /docs/.
  router.get('/docs', (req, _res, next) => {
    req.url = '/docs/';
    next();
  });
  return router;
}
