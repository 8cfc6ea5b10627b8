/** Names of run folders: they sort by time, and two runs started together do not collide. */
import { randomBytes } from 'node:crypto';

/** `20250131-142530-s3-9f2c1a`: UTC time of the start, the seed, 24 random bits. */
export function createRunId(seed: number, now: Date = new Date()): string {
  const [date, time] = now.toISOString().split('T') as [string, string];
  const stamp = `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
  return `${stamp}-s${seed}-${randomBytes(3).toString('hex')}`;
}
