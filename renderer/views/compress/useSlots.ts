import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { LayerReport } from '../../../preload/contract/index.ts';
import { useStudio } from '../studioContext.ts';

/** Names of a model's layers in the order they run, so that charts of them stand in line. */
export function useSlots(model: string, layers: readonly LayerReport[]): readonly string[] {
  const { models } = useStudio();
  const { data } = useQuery({
    queryKey: ['linears', model],
    queryFn: () => models.linears(model),
  });
  return useMemo(() => {
    const known = new Set(data?.map((linear) => linear.name));
    // What is not among the linear layers is the embedding, which comes before them.
    const others = layers.map(({ layer }) => layer).filter((layer) => !known.has(layer));
    return [...others, ...known];
  }, [data, layers]);
}
