import { connect } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { startMongo } from '../../scripts/services/mongo.ts';
import { startRedis } from '../../scripts/services/redis.ts';
import type { ServiceHandle } from '../../scripts/services/service.ts';

const started: ServiceHandle[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop()));
});

function newDir(): string {
  return mkdtempSync(join(process.env.TEST_RUN_DIR!, 'services-'));
}

/** Sends one inline command over a new connection, and resolves to its reply. */
function send(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString().trim());
    });
  });
}

test('Redis keeps acknowledged writes through SIGKILL and a restart on the same port', async () => {
  const redis = await startRedis({ dir: newDir() });
  started.push(redis);
  expect(await send(redis.port, 'SET greeting hello')).toBe('+OK');
  const before = { pid: redis.pid, port: redis.port };

  await redis.kill('SIGKILL');
  await expect(send(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
  await redis.restart();

  expect(redis.port).toBe(before.port);
  expect(redis.pid).not.toBe(before.pid);
  expect(await send(redis.port, 'GET greeting')).toBe('$5\r\nhello');
});

test('Redis evicts nothing, keeps no slow log and listens only on the loopback interface', async () => {
  const redis = await startRedis({ dir: newDir() });
  started.push(redis);
  expect(await send(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  expect(await send(redis.port, 'CONFIG GET slowlog-log-slower-than')).toContain('-1');
  expect(await send(redis.port, 'CONFIG GET bind')).toContain('127.0.0.1');
});

test('a frozen Redis can be stopped, and stopped again', async () => {
  const redis = await startRedis({ dir: newDir(), appendOnly: false });
  await redis.kill('SIGSTOP');
  await redis.stop();
  await redis.stop();
  expect(redis.process.exitCode ?? redis.process.signalCode).not.toBeNull();
});

test('the error for a port in use quotes the server', async () => {
  const redis = await startRedis({ dir: newDir() });
  started.push(redis);
  await expect(startRedis({ dir: newDir(), port: redis.port })).rejects.toThrow(
    /redis ended at once[^]*in use/i,
  );
});

test('MongoDB keeps acknowledged writes through SIGKILL and a restart', async () => {
  const mongo = await startMongo({ dir: newDir() });
  started.push(mongo);
  const pets = async <T>(use: (collection: mongoose.mongo.Collection) => Promise<T>) => {
    const client = await mongoose.mongo.MongoClient.connect(mongo.url);
    return use(client.db('services-test').collection('pets')).finally(() => client.close());
  };
  await pets((collection) => collection.insertOne({ name: 'Rex' }));
  await mongo.kill('SIGKILL');
  await mongo.restart();
  expect(await pets((collection) => collection.findOne())).toMatchObject({ name: 'Rex' });
});
