-- Both days of a segment in the index: a question for a month looks at no page of segments that end before it. The fourth
-- column lies where the three before it left padding (docs/decisions/0003-rollups.md).

create index segments_lane_days on fairway.segments (lane, attempt, first_day, last_day);
drop index fairway.segments_lane;
