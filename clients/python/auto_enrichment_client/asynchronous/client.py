from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Optional, Union

from .async_base_client import AsyncBaseClient
from .base_model import UNSET, UnsetType
from .cancel_job import CancelJob
from .enums import EntityType, EventKind
from .events import Events
from .get_config import GetConfig
from .get_credits import GetCredits
from .get_event_cursor import GetEventCursor
from .get_job import GetJob
from .get_pipeline import GetPipeline
from .get_record import GetRecord
from .get_stats import GetStats
from .input_types import (
    ConfigInput,
    ConflictFilter,
    JobFilter,
    RecordInput,
    ResolutionInput,
)
from .job_progress import JobProgress
from .list_changed_records import ListChangedRecords
from .list_conflicts import ListConflicts
from .list_jobs import ListJobs
from .pause_pipeline import PausePipeline
from .preview_resolution import PreviewResolution
from .resolve_conflict import ResolveConflict
from .resolve_matching_conflicts import ResolveMatchingConflicts
from .resume_pipeline import ResumePipeline
from .retry_job import RetryJob
from .undo_resolutions import UndoResolutions
from .update_config import UpdateConfig
from .upsert_records import UpsertRecords


def gql(q: str) -> str:
    return q


class AsyncClient(AsyncBaseClient):
    async def get_config(self, **kwargs: Any) -> GetConfig:
        query = gql("""
            query GetConfig {
              config {
                ...ConfigParts
              }
            }

            fragment ConfigParts on Config {
              id
              enabled
              version
              strategy
              consensusSize
              minConfidence
              cooldownHours
              maxAttempts
              companyQuestions
              order
              providers {
                id
                enabled
              }
              updatedAt
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="GetConfig", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetConfig.model_validate(data)

    async def update_config(
        self,
        input: ConfigInput,
        expected_version: Union[Optional[int], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> UpdateConfig:
        query = gql("""
            mutation UpdateConfig($input: ConfigInput!, $expectedVersion: Int) {
              updateConfig(input: $input, expectedVersion: $expectedVersion) {
                ...ConfigParts
              }
            }

            fragment ConfigParts on Config {
              id
              enabled
              version
              strategy
              consensusSize
              minConfidence
              cooldownHours
              maxAttempts
              companyQuestions
              order
              providers {
                id
                enabled
              }
              updatedAt
            }
            """)
        variables: dict[str, object] = {
            "input": input,
            "expectedVersion": expected_version,
        }
        response = await self.execute(
            query=query, operation_name="UpdateConfig", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpdateConfig.model_validate(data)

    async def list_jobs(
        self,
        filter_: Union[Optional[JobFilter], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ListJobs:
        query = gql("""
            query ListJobs($filter: JobFilter, $first: Int = 50, $after: String) {
              jobs(filter: $filter, first: $first, after: $after) {
                nodes {
                  ...JobParts
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment JobParts on Job {
              id
              entityType
              trigger
              status
              progress
              attempts
              fieldsUpdated
              creditsUsed
              error {
                code
                message
                retryable
              }
              createdAt
              finishedAt
              record {
                id
                externalId
                entityType
              }
              steps {
                provider
                outcome
                skippedReason
                detail
                latencyMs
                creditsCharged
                fieldsFound
              }
            }
            """)
        variables: dict[str, object] = {
            "filter": filter_,
            "first": first,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="ListJobs", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ListJobs.model_validate(data)

    async def get_job(self, id: str, **kwargs: Any) -> GetJob:
        query = gql("""
            query GetJob($id: ID!) {
              job(id: $id) {
                ...JobParts
              }
            }

            fragment JobParts on Job {
              id
              entityType
              trigger
              status
              progress
              attempts
              fieldsUpdated
              creditsUsed
              error {
                code
                message
                retryable
              }
              createdAt
              finishedAt
              record {
                id
                externalId
                entityType
              }
              steps {
                provider
                outcome
                skippedReason
                detail
                latencyMs
                creditsCharged
                fieldsFound
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="GetJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetJob.model_validate(data)

    async def retry_job(self, id: str, **kwargs: Any) -> RetryJob:
        query = gql("""
            mutation RetryJob($id: ID!) {
              retryJob(id: $id) {
                ...JobParts
              }
            }

            fragment JobParts on Job {
              id
              entityType
              trigger
              status
              progress
              attempts
              fieldsUpdated
              creditsUsed
              error {
                code
                message
                retryable
              }
              createdAt
              finishedAt
              record {
                id
                externalId
                entityType
              }
              steps {
                provider
                outcome
                skippedReason
                detail
                latencyMs
                creditsCharged
                fieldsFound
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="RetryJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return RetryJob.model_validate(data)

    async def cancel_job(self, id: str, **kwargs: Any) -> CancelJob:
        query = gql("""
            mutation CancelJob($id: ID!) {
              cancelJob(id: $id) {
                ...JobParts
              }
            }

            fragment JobParts on Job {
              id
              entityType
              trigger
              status
              progress
              attempts
              fieldsUpdated
              creditsUsed
              error {
                code
                message
                retryable
              }
              createdAt
              finishedAt
              record {
                id
                externalId
                entityType
              }
              steps {
                provider
                outcome
                skippedReason
                detail
                latencyMs
                creditsCharged
                fieldsFound
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="CancelJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CancelJob.model_validate(data)

    async def list_conflicts(
        self,
        filter_: Union[Optional[ConflictFilter], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        after: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ListConflicts:
        query = gql("""
            query ListConflicts($filter: ConflictFilter, $first: Int = 50, $after: String) {
              conflicts(filter: $filter, first: $first, after: $after) {
                nodes {
                  ...ConflictParts
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment ConflictParts on Conflict {
              id
              entityType
              field
              unit
              reason
              status
              recommendation
              current {
                value
                source
                confidence
                observedAt
              }
              candidates {
                id
                value
                provider
                confidence
                observedAt
              }
              record {
                id
                externalId
              }
              createdAt
            }
            """)
        variables: dict[str, object] = {
            "filter": filter_,
            "first": first,
            "after": after,
        }
        response = await self.execute(
            query=query, operation_name="ListConflicts", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ListConflicts.model_validate(data)

    async def resolve_conflict(
        self,
        id: str,
        resolution: Union[Optional[ResolutionInput], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ResolveConflict:
        query = gql("""
            mutation ResolveConflict($id: ID!, $resolution: ResolutionInput) {
              resolveConflict(id: $id, resolution: $resolution) {
                ...ConflictParts
              }
            }

            fragment ConflictParts on Conflict {
              id
              entityType
              field
              unit
              reason
              status
              recommendation
              current {
                value
                source
                confidence
                observedAt
              }
              candidates {
                id
                value
                provider
                confidence
                observedAt
              }
              record {
                id
                externalId
              }
              createdAt
            }
            """)
        variables: dict[str, object] = {"id": id, "resolution": resolution}
        response = await self.execute(
            query=query, operation_name="ResolveConflict", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ResolveConflict.model_validate(data)

    async def preview_resolution(
        self,
        filter_: ConflictFilter,
        resolution: Union[Optional[ResolutionInput], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> PreviewResolution:
        query = gql("""
            query PreviewResolution($filter: ConflictFilter!, $resolution: ResolutionInput) {
              previewResolution(filter: $filter, resolution: $resolution) {
                count
                accepts
                keeps
                sets
                refused
                byField {
                  field
                  count
                }
              }
            }
            """)
        variables: dict[str, object] = {"filter": filter_, "resolution": resolution}
        response = await self.execute(
            query=query,
            operation_name="PreviewResolution",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return PreviewResolution.model_validate(data)

    async def resolve_matching_conflicts(
        self,
        filter_: ConflictFilter,
        resolution: Union[Optional[ResolutionInput], UnsetType] = UNSET,
        expected_count: Union[Optional[int], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ResolveMatchingConflicts:
        query = gql("""
            mutation ResolveMatchingConflicts($filter: ConflictFilter!, $resolution: ResolutionInput, $expectedCount: Int) {
              resolveMatchingConflicts(
                filter: $filter
                resolution: $resolution
                expectedCount: $expectedCount
              ) {
                resolutionId
                resolved
                remaining
                results {
                  id
                  error {
                    errorCode
                    message
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {
            "filter": filter_,
            "resolution": resolution,
            "expectedCount": expected_count,
        }
        response = await self.execute(
            query=query,
            operation_name="ResolveMatchingConflicts",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return ResolveMatchingConflicts.model_validate(data)

    async def undo_resolutions(
        self, resolution_id: str, **kwargs: Any
    ) -> UndoResolutions:
        query = gql("""
            mutation UndoResolutions($resolutionId: ID!) {
              undoResolutions(resolutionId: $resolutionId) {
                restored
                leftAlone
                remaining
              }
            }
            """)
        variables: dict[str, object] = {"resolutionId": resolution_id}
        response = await self.execute(
            query=query, operation_name="UndoResolutions", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UndoResolutions.model_validate(data)

    async def get_stats(
        self,
        from_: Union[Optional[datetime], UnsetType] = UNSET,
        to: Union[Optional[datetime], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> GetStats:
        query = gql("""
            query GetStats($from: DateTime, $to: DateTime) {
              stats(from: $from, to: $to) {
                id
                records
                matchRate
                fillRateBefore
                fillRateAfter
                conflictsOpen
                creditsUsed
              }
            }
            """)
        variables: dict[str, object] = {"from": from_, "to": to}
        response = await self.execute(
            query=query, operation_name="GetStats", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetStats.model_validate(data)

    async def get_credits(
        self,
        from_: Union[Optional[datetime], UnsetType] = UNSET,
        to: Union[Optional[datetime], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> GetCredits:
        query = gql("""
            query GetCredits($from: DateTime, $to: DateTime) {
              credits(from: $from, to: $to) {
                id
                balance
                reserved
                used
                granted
                monthlyLimit
                remaining
                periodStart
                periodEnd
              }
            }
            """)
        variables: dict[str, object] = {"from": from_, "to": to}
        response = await self.execute(
            query=query, operation_name="GetCredits", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetCredits.model_validate(data)

    async def get_pipeline(self, **kwargs: Any) -> GetPipeline:
        query = gql("""
            query GetPipeline {
              pipeline {
                ...PipelineParts
              }
            }

            fragment PipelineParts on Pipeline {
              id
              paused
              pausedAt
              pausedBy
              reason
              pending
              inProgress
              oldestPendingAt
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="GetPipeline", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetPipeline.model_validate(data)

    async def pause_pipeline(
        self, reason: Union[Optional[str], UnsetType] = UNSET, **kwargs: Any
    ) -> PausePipeline:
        query = gql("""
            mutation PausePipeline($reason: String) {
              pausePipeline(reason: $reason) {
                ...PipelineParts
              }
            }

            fragment PipelineParts on Pipeline {
              id
              paused
              pausedAt
              pausedBy
              reason
              pending
              inProgress
              oldestPendingAt
            }
            """)
        variables: dict[str, object] = {"reason": reason}
        response = await self.execute(
            query=query, operation_name="PausePipeline", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return PausePipeline.model_validate(data)

    async def resume_pipeline(self, **kwargs: Any) -> ResumePipeline:
        query = gql("""
            mutation ResumePipeline {
              resumePipeline {
                ...PipelineParts
              }
            }

            fragment PipelineParts on Pipeline {
              id
              paused
              pausedAt
              pausedBy
              reason
              pending
              inProgress
              oldestPendingAt
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="ResumePipeline", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ResumePipeline.model_validate(data)

    async def get_event_cursor(self, **kwargs: Any) -> GetEventCursor:
        query = gql("""
            query GetEventCursor {
              eventCursor
            }
            """)
        variables: dict[str, object] = {}
        response = await self.execute(
            query=query, operation_name="GetEventCursor", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetEventCursor.model_validate(data)

    async def list_changed_records(
        self,
        after: Union[Optional[str], UnsetType] = UNSET,
        first: Union[Optional[int], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> ListChangedRecords:
        query = gql("""
            query ListChangedRecords($after: String, $first: Int = 200) {
              events(
                after: $after
                first: $first
                kinds: [RECORD_CREATED, RECORD_CHANGED, RECORD_ENRICHED, RECORD_ERASED]
              ) {
                nodes {
                  cursor
                  kind
                  at
                  recordId
                  record {
                    id
                    entityType
                    externalId
                    version
                    fields
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }
            """)
        variables: dict[str, object] = {"after": after, "first": first}
        response = await self.execute(
            query=query,
            operation_name="ListChangedRecords",
            variables=variables,
            **kwargs,
        )
        data = self.get_data(response)
        return ListChangedRecords.model_validate(data)

    async def get_record(
        self, entity_type: EntityType, external_id: str, **kwargs: Any
    ) -> GetRecord:
        query = gql("""
            query GetRecord($entityType: EntityType!, $externalId: ID!) {
              record(entityType: $entityType, externalId: $externalId) {
                id
                externalId
                entityType
                version
                fields
                completeness
              }
            }
            """)
        variables: dict[str, object] = {
            "entityType": entity_type,
            "externalId": external_id,
        }
        response = await self.execute(
            query=query, operation_name="GetRecord", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return GetRecord.model_validate(data)

    async def upsert_records(
        self, records: list[RecordInput], **kwargs: Any
    ) -> UpsertRecords:
        query = gql("""
            mutation UpsertRecords($records: [RecordInput!]!) {
              upsertRecords(records: $records) {
                created
                changed
                unchanged
                refused
                results {
                  index
                  outcome
                  folded
                  job {
                    id
                    status
                  }
                  error {
                    errorCode
                    message
                  }
                }
              }
            }
            """)
        variables: dict[str, object] = {"records": records}
        response = await self.execute(
            query=query, operation_name="UpsertRecords", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpsertRecords.model_validate(data)

    async def events(
        self,
        after: Union[Optional[str], UnsetType] = UNSET,
        kinds: Union[Optional[list[EventKind]], UnsetType] = UNSET,
        entity_types: Union[Optional[list[EntityType]], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> AsyncIterator[Events]:
        query = gql("""
            subscription Events($after: String, $kinds: [EventKind!], $entityTypes: [EntityType!]) {
              events(after: $after, kinds: $kinds, entityTypes: $entityTypes) {
                cursor
                kind
                at
                entityType
                recordId
                jobId
                conflictId
                fields
                jobStatus
                steps {
                  provider
                  result
                }
                provider
                breakerState
                configVersion
                credits
              }
            }
            """)
        variables: dict[str, object] = {
            "after": after,
            "kinds": kinds,
            "entityTypes": entity_types,
        }
        async for data in self.execute_ws(
            query=query, operation_name="Events", variables=variables, **kwargs
        ):
            yield Events.model_validate(data)

    async def job_progress(
        self, job_id: str, **kwargs: Any
    ) -> AsyncIterator[JobProgress]:
        query = gql("""
            subscription JobProgress($jobId: ID!) {
              jobProgress(jobId: $jobId) {
                ...JobParts
              }
            }

            fragment JobParts on Job {
              id
              entityType
              trigger
              status
              progress
              attempts
              fieldsUpdated
              creditsUsed
              error {
                code
                message
                retryable
              }
              createdAt
              finishedAt
              record {
                id
                externalId
                entityType
              }
              steps {
                provider
                outcome
                skippedReason
                detail
                latencyMs
                creditsCharged
                fieldsFound
              }
            }
            """)
        variables: dict[str, object] = {"jobId": job_id}
        async for data in self.execute_ws(
            query=query, operation_name="JobProgress", variables=variables, **kwargs
        ):
            yield JobProgress.model_validate(data)
