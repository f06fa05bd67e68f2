import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { toFailure } from '../state/failure.ts';
import { ErrorPanel } from '../ui/ErrorPanel.tsx';

interface LoadedProps<Data> {
  query: UseQueryResult<Data>;
  children: (data: Data) => ReactNode;
}

/** What was asked of the engine: a quiet place for it, the thing itself, or why it failed. */
export function Loaded<Data>({ query, children }: LoadedProps<Data>) {
  if (query.isPending) return <Skeleton height={96} m={16} aria-label="Loading" />;
  if (query.isError) {
    return (
      <ErrorPanel
        failure={toFailure(query.error)}
        steps={[{ label: 'Try again', run: () => void query.refetch() }]}
      />
    );
  }
  return children(query.data);
}
