import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LocalServer, startServer } from '../testing/local-server.js';
import { downloadVerified } from './download.js';

const body = Buffer.from('forty thousand fathoms '.repeat(4000));
const sha256 = createHash('sha256').update(body).digest('hex');
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

let servers: LocalServer[] = [];
const serve = async (handle: RequestListener) => {
  const server = await startServer(handle);
  servers.push(server);
  return server;
};
const fetchFrom = (url: string, more: Partial<Parameters<typeof downloadVerified>[0]> = {}) =>
  downloadVerified({ url, sha256, maxBytes: 1e6, ...more });

beforeEach(() => {
  for (const name of proxyVariables) vi.stubEnv(name, undefined);
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  vi.unstubAllEnvs();
});

describe('downloadVerified', () => {
  it('returns the bytes and tells how far it has come', async () => {
    const { url } = await serve((_, response) => response.setHeader('content-length', body.length).end(body));
    const seen: number[] = [];
    const bytes = await fetchFrom(`${url}/file.zip`, {
      onProgress: ({ receivedBytes, totalBytes }) => {
        expect(totalBytes).toBe(body.length);
        seen.push(receivedBytes);
      },
    });
    expect(body.equals(bytes)).toBe(true);
    expect(seen.at(-1)).toBe(body.length);
  });

  it('follows redirects and names itself', async () => {
    const { url, requests } = await serve((request, response) => {
      expect(request.headers['user-agent']).toBe('statespace-datasets');
      if (request.url === '/old') response.writeHead(302, { location: '/new' }).end();
      else response.end(body);
    });
    expect(body.equals(await fetchFrom(`${url}/old`))).toBe(true);
    expect(requests).toEqual(['GET /old', 'GET /new']);
  });

  it('refuses other bytes by their SHA-256, and says what to do', async () => {
    const { url } = await serve((_, response) => response.end('other bytes'));
    await expect(fetchFrom(url, { remedy: 'Try again' })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(new RegExp(`expected SHA-256 ${sha256}, got .*11 bytes.*Try again`)),
    });
  });

  it('refuses a body that breaks off', async () => {
    const { url } = await serve((_, response) => {
      response.setHeader('content-length', body.length).write(body.subarray(0, 1000));
      setTimeout(() => response.destroy(), 20);
    });
    await expect(fetchFrom(url)).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  it('refuses an error status, and a server that is not there', async () => {
    const { url, close } = await serve((_, response) => response.writeHead(404).end('no'));
    await expect(fetchFrom(url)).rejects.toThrow(/expected status 200, got 404/);
    await close();
    await expect(fetchFrom(url)).rejects.toThrow(/expected a complete answer, got .*ECONNREFUSED/);
  });

  it('refuses more bytes than agreed, announced or not', async () => {
    const announced = await serve((_, response) =>
      response.setHeader('content-length', body.length).end(body),
    );
    await expect(fetchFrom(announced.url, { maxBytes: 100 })).rejects.toThrow(/at most 100 bytes, got 92000/);
    const chunked = await serve((_, response) => {
      response.write(body);
      response.end(body);
    });
    await expect(fetchFrom(chunked.url, { maxBytes: 100 })).rejects.toThrow(/at most 100 bytes, got more/);
  });

  it('gives up on a silent server', async () => {
    const { url } = await serve((_, response) => response.write(body.subarray(0, 10)));
    await expect(fetchFrom(url, { silenceLimit: 300 })).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  it('stops on abort, before and in the middle', async () => {
    const { url, requests } = await serve((_, response) => response.write(body.subarray(0, 10)));
    await expect(fetchFrom(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    expect(requests).toEqual([]);
    const controller = new AbortController();
    const running = fetchFrom(url, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  it.each(['file:///etc/passwd', 'wiki.zip', 'ftp://host/x'])('refuses the address %s', async (url) => {
    await expect(fetchFrom(url)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('goes through HTTP_PROXY, unless NO_PROXY names the host', async () => {
    const origin = await serve((_, response) => response.end(body));
    const originPort = Number(new URL(origin.url).port);
    // The made-up host is known to the proxy alone: a direct connection could not find it.
    const proxy = await serve((_, response) => response.end(body));
    proxy.server.on('connect', (request, socket, head) => {
      (proxy.requests as string[]).push(`CONNECT ${request.url}`);
      const onward = connect(originPort, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        onward.pipe(socket).pipe(onward);
      });
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
    });
    vi.stubEnv('HTTP_PROXY', proxy.url);
    expect(body.equals(await fetchFrom('http://corpus.invalid/file.zip'))).toBe(true);
    expect(proxy.requests.join()).toContain('corpus.invalid');
    const before = proxy.requests.length;
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    await fetchFrom(origin.url);
    expect(proxy.requests).toHaveLength(before);
  });
});
