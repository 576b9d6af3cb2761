import { randomBytes } from 'node:crypto';
import type { Company } from '../../harness/documents.ts';
import type { RedisCluster } from '../../harness/own-cluster.ts';
import type { World } from '../../harness/world.ts';

/** As many companies as masters, the keys of each on another one. */
export async function companiesOnAllNodes(world: World, cluster: RedisCluster): Promise<Company[]> {
  const masters = await cluster.masters();
  return Promise.all(
    masters.map(async (master) => {
      for (;;) {
        const companyId = randomBytes(12).toString('hex');
        if ((await cluster.serving(world.keys.position(companyId))) === master)
          return world.documents.company(companyId);
      }
    }),
  );
}
