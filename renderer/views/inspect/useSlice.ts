import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Capture } from '../../../preload/contract/index.ts';

/**
 * A part of a capture. The state keeps what was fetched within a budget, so that nothing is kept
 * here a second time.
 */
export const useSlice = <T>(
  { id }: Capture,
  key: readonly unknown[],
  load: () => Promise<T>,
  enabled = true,
): UseQueryResult<T> =>
  useQuery({
    queryKey: ['capture', id, ...key],
    queryFn: load,
    enabled,
    gcTime: 0,
    structuralSharing: false,
  });
