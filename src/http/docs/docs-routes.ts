import { Router } from 'express';
import { createAsyncApi } from './asyncapi.ts';
import { DOCS_STYLE } from './docs-style.ts';
import { createOpenApi } from './openapi.ts';
import { renderDocs } from './render-docs.ts';

const DAY_S = 86_400;

/** `/openapi.json`, `/asyncapi.json`, and both as a page at `/docs`. Open: they tell shapes, never data. */
export function createDocsRoutes(): Router {
  const router = Router();
  const [openApi, asyncApi] = [createOpenApi(), createAsyncApi()];
  const page = renderDocs(openApi, asyncApi);
  router.get('/openapi.json', (_req, res) => {
    res.json(openApi);
  });
  router.get('/asyncapi.json', (_req, res) => {
    res.json(asyncApi);
  });
  router.get('/docs', (_req, res) => {
    res.type('html').send(page);
  });
  router.get('/docs/style.css', (_req, res) => {
    res.set('Cache-Control', `max-age=${DAY_S}`).type('css').send(DOCS_STYLE);
  });
  return router;
}
