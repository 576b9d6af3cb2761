import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createAlarm, createBackoff } from '../../packages/dashboard/src/timers.ts';

describe('an alarm', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('fires once, after its delay', () => {
    const alarm = createAlarm();
    const ring = jest.fn();
    expect(alarm.isSet).toBe(false);
    alarm.set(100, ring);
    expect(alarm.isSet).toBe(true);
    jest.advanceTimersByTime(99);
    expect(ring).not.toHaveBeenCalled();
    jest.advanceTimersByTime(500);
    expect(ring).toHaveBeenCalledTimes(1);
    expect(alarm.isSet).toBe(false);
  });

  test('can be set again while it fires', () => {
    const alarm = createAlarm();
    const second = jest.fn();
    alarm.set(100, () => {
      expect(alarm.isSet).toBe(false);
      alarm.set(100, second);
    });
    jest.advanceTimersByTime(100);
    expect(alarm.isSet).toBe(true);
    jest.advanceTimersByTime(100);
    expect(second).toHaveBeenCalledTimes(1);
  });

  test('replaces a pending call when it is set again', () => {
    const alarm = createAlarm();
    const [first, second] = [jest.fn(), jest.fn()];
    alarm.set(100, first);
    alarm.set(200, second);
    jest.advanceTimersByTime(300);
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledTimes(1);
  });

  test('does not fire after it is cleared', () => {
    const alarm = createAlarm();
    const ring = jest.fn();
    alarm.set(100, ring);
    alarm.clear();
    expect(alarm.isSet).toBe(false);
    jest.advanceTimersByTime(200);
    expect(ring).not.toHaveBeenCalled();
  });
});

describe('a backoff', () => {
  test('doubles its bound up to the longest one, and begins again after a reset', () => {
    const { nextMs, reset } = createBackoff({ firstMs: 10, longestMs: 35, random: () => 1 });
    expect([nextMs(), nextMs(), nextMs(), nextMs()]).toEqual([10, 20, 35, 35]);
    reset();
    expect([nextMs(), nextMs()]).toEqual([10, 20]);
  });

  test('returns a random part of its bound', () => {
    const { nextMs } = createBackoff({ firstMs: 10, longestMs: 35, random: () => 0.25 });
    expect([nextMs(), nextMs()]).toEqual([2.5, 5]);
  });
});
