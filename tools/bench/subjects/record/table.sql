create table t(a integer primary key, b, c);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
  insert into t select i, i * 7919 % 100003, 'row ' || i from n;
create index tb on t(b);
select count(*), sum(b) from t where b between 1000 and 50000;
select b % 10, count(*), max(c) from t group by 1 order by 2;
update t set c = 'x' || c where b % 3 = 0;
delete from t where b % 5 = 0;
select count(*) from t;
