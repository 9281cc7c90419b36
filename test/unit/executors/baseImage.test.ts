import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { resolveBaseImage } from '../../../server/executors/docker/baseImage.ts';
import { temporaryDirectory } from '../../integration/executorsFixture.ts';

const name = `node:${process.versions.node.split('.')[0]}-bookworm-slim`;
const never = new AbortController().signal;

let cache: ReturnType<typeof temporaryDirectory>;
let pulls: string[];
beforeEach(() => {
  cache = temporaryDirectory('images');
  pulls = [];
});
afterEach(() => cache.dispose());

/** An engine that has our substitute and whose registry is out of reach. */
const engine = {
  getImage: (image: string) => ({
    inspect: async () => {
      if (!image.startsWith('codex-coach/base:')) throw Object.assign(new Error('no such image'), { statusCode: 404 });
    },
  }),
  pull: async (image: string) => {
    pulls.push(image);
    throw Object.assign(new Error('the registry is out of reach'), { statusCode: 500 });
  },
} as unknown as Docker;

const resolve = (image: string, packages: readonly string[] = []) =>
  resolveBaseImage(image, { docker: engine, cache: cache.path, node: process.execPath, packages }, silentLog, never);

it('asks an unreachable registry once a day, not in every run, when there is a substitute', async () => {
  const first = await resolve(name);
  expect(first).toMatch(/^codex-coach\/base:/);
  expect(await resolve(name)).toBe(first);
  expect(pulls).toEqual([name]);
  const [failure = ''] = readdirSync(cache.path);
  const dayBefore = Date.now() / 1000 - 25 * 3600;
  utimesSync(join(cache.path, failure), dayBefore, dayBefore);
  await resolve(name);
  expect(pulls).toEqual([name, name]);
});

it('asks each time for an image that nothing can stand in for', async () => {
  await expect(resolve('postgres:17')).rejects.toMatchObject({ code: 'docker.imageMissing' });
  await expect(resolve('postgres:17')).rejects.toMatchObject({ code: 'docker.imageMissing' });
  expect(pulls).toEqual(['postgres:17', 'postgres:17']);
});

it('stands in for compilers of the versions that Debian has, one substitute for each set of packages', async () => {
  const go = await resolve('golang:1.19-bookworm', ['golang-go']);
  expect(go).not.toBe(await resolve('debian:bookworm-slim', ['python3-pytest']));
  expect(go).not.toBe(await resolve(name));
  await expect(resolve('golang:1.24-bookworm', ['golang-go'])).rejects.toMatchObject({ code: 'docker.imageMissing' });
});
