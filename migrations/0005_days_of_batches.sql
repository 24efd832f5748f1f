-- Which days a batch is about, for whoever asks what a revision changed. Kept with each part, so that publishing adds
-- up a few rows whatever the batch's size.

alter table fairway.parts
  add column first_day date,
  add column last_day date;
update fairway.parts p set first_day = s.first_day, last_day = s.last_day
from (select attempt, part, min(first_day) as first_day, max(last_day) as last_day from fairway.segments group by attempt, part) s
where s.attempt = p.attempt and s.part = p.part;

alter table fairway.batches
  add column first_day date,
  add column last_day date;
update fairway.batches b set first_day = p.first_day, last_day = p.last_day
from (select attempt, min(first_day) as first_day, max(last_day) as last_day from fairway.parts group by attempt) p
where p.attempt = b.attempt;
comment on column fairway.batches.first_day is 'The first day of its items; null until it is published, and for none.';
