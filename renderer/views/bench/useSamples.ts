import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useStudio } from '../studioContext.ts';
import type { Shown } from './shown.ts';

/** Milliseconds between tokens, an array per measurement: lists come without them. */
export type Samples = UseQueryResult<readonly Float64Array[]>;

/** The samples of the measurements that are shown, kept only as long as they are. */
export function useSamples(shown: readonly Shown[]): Samples {
  const { measurements } = useStudio();
  const ids = shown.map(({ record }) => record.id);
  return useQuery({
    queryKey: ['bench-samples', ...ids],
    queryFn: () => Promise.all(ids.map((id) => measurements.samples(id))),
    gcTime: 0,
    structuralSharing: false,
  });
}
