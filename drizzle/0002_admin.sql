CREATE TABLE "postern"."event_counts" (
	"hour" timestamp (3) with time zone NOT NULL,
	"event_type" text NOT NULL,
	"success" boolean NOT NULL,
	"failure_reason" text NOT NULL,
	"answers" bigint NOT NULL,
	CONSTRAINT "event_counts_hour_event_type_success_failure_reason_pk" PRIMARY KEY("hour","event_type","success","failure_reason")
);
--> statement-breakpoint
CREATE INDEX "auth_events_email_idx" ON "postern"."auth_events" USING btree ("email","created_at","id") WHERE "postern"."auth_events"."email" is not null;--> statement-breakpoint
CREATE INDEX "auth_events_ip_address_idx" ON "postern"."auth_events" USING btree ("ip_address","created_at","id");--> statement-breakpoint
CREATE INDEX "auth_events_event_type_idx" ON "postern"."auth_events" USING btree ("event_type","created_at","id");--> statement-breakpoint
CREATE INDEX "auth_events_event_type_failure_reason_idx" ON "postern"."auth_events" USING btree ("event_type","failure_reason","created_at","id") WHERE "postern"."auth_events"."failure_reason" is not null;--> statement-breakpoint
CREATE INDEX "auth_events_failure_reason_idx" ON "postern"."auth_events" USING btree ("failure_reason","created_at","id") WHERE "postern"."auth_events"."failure_reason" is not null;--> statement-breakpoint
CREATE INDEX "auth_events_failed_idx" ON "postern"."auth_events" USING btree ("created_at","id") WHERE not "postern"."auth_events"."success";--> statement-breakpoint
CREATE INDEX "auth_events_guess_idx" ON "postern"."auth_events" USING btree ("created_at") WHERE "postern"."auth_events"."failure_reason" in ('wrong_password', 'unknown_email', 'inactive_account', 'email_taken', 'rate_limited', 'account_throttled', 'bad_signature', 'unknown_key', 'wrong_algorithm', 'token_malformed', 'refresh_malformed', 'refresh_forged');--> statement-breakpoint
CREATE INDEX "users_email_prefix_idx" ON "postern"."users" USING btree ("email" collate "C");--> statement-breakpoint
CREATE INDEX "users_admins_idx" ON "postern"."users" USING btree ("id") WHERE "postern"."users"."role" = 'admin' and "postern"."users"."is_active";--> statement-breakpoint
-- How far back the insights look: a day, or what `SET postern.insight_window = '7 days'` says.
CREATE FUNCTION "postern"."insight_window"() RETURNS interval LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT coalesce(nullif(current_setting('postern.insight_window', true), '')::interval, interval '1 day')
$$;
--> statement-breakpoint
-- What counts as one source: an IPv4 address, the /64 of an IPv6 one.
CREATE FUNCTION "postern"."address_key"(address inet) RETURNS inet LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN family(address) = 6 AND masklen(address) > 64 THEN network(set_masklen(address, 64))::inet ELSE address END
$$;
--> statement-breakpoint
-- The refusals that guessing and forging make. An expired token, or one whose session has ended, is everyday life.
CREATE VIEW "postern"."insight_guesses" AS
SELECT created_at, event_type, failure_reason, postern.address_key(ip_address) AS address, email,
	coalesce((details->>'count')::bigint, 1) AS answers
FROM postern.auth_events
WHERE created_at > now() - postern.insight_window()
	AND failure_reason IN ('wrong_password', 'unknown_email', 'inactive_account', 'email_taken', 'rate_limited', 'account_throttled',
		'bad_signature', 'unknown_key', 'wrong_algorithm', 'token_malformed', 'refresh_malformed', 'refresh_forged');
--> statement-breakpoint
-- Each guess belongs to one finding at most: to the account that many addresses try, else to the address that makes many, else to
-- the account.
CREATE VIEW "postern"."insight_guessing" AS
WITH guess AS MATERIALIZED (
	SELECT * FROM postern.insight_guesses
), many_addresses AS MATERIALIZED (
	SELECT email FROM guess WHERE email IS NOT NULL
	GROUP BY email HAVING count(DISTINCT address) >= 10 AND sum(answers) >= 30
), busy_address AS (
	SELECT address, sum(answers) AS answers, count(DISTINCT email) AS accounts FROM guess
	WHERE address IS NOT NULL AND NOT EXISTS (SELECT FROM many_addresses WHERE many_addresses.email = guess.email)
	GROUP BY address HAVING sum(answers) >= 30
), flagged_address AS MATERIALIZED (
	SELECT address, accounts, logins FROM busy_address
	CROSS JOIN LATERAL (
		SELECT count(*) AS logins FROM postern.auth_events
		WHERE ip_address BETWEEN address AND set_masklen(broadcast(address), CASE family(address) WHEN 6 THEN 128 ELSE 32 END)
			AND created_at > now() - postern.insight_window() AND event_type = 'login' AND success
	) AS login
	-- Behind the one address of an office or a phone network more people get in than mistype.
	WHERE logins < answers
), finding_guess AS (
	SELECT CASE WHEN accounts >= 10 THEN 'spraying' ELSE 'address_failures' END AS pattern,
		CASE WHEN masklen(address) = CASE family(address) WHEN 6 THEN 128 ELSE 32 END THEN host(address) ELSE text(address) END AS subject,
		logins, guess.*
	FROM guess JOIN flagged_address USING (address)
	WHERE NOT EXISTS (SELECT FROM many_addresses WHERE many_addresses.email = guess.email)
	UNION ALL
	SELECT 'many_addresses', email, NULL, guess.* FROM guess JOIN many_addresses USING (email)
	UNION ALL
	SELECT 'account_failures', email, NULL, guess.* FROM guess
	JOIN (
		SELECT email FROM guess
		WHERE email IS NOT NULL AND NOT EXISTS (SELECT FROM flagged_address WHERE flagged_address.address = guess.address)
		GROUP BY email HAVING sum(answers) >= 20
	) AS busy_account USING (email)
	WHERE NOT EXISTS (SELECT FROM flagged_address WHERE flagged_address.address = guess.address)
		AND NOT EXISTS (SELECT FROM many_addresses WHERE many_addresses.email = guess.email)
), reason AS (
	SELECT pattern, subject, jsonb_object_agg(failure_reason, n) AS reasons
	FROM (SELECT pattern, subject, failure_reason, sum(answers) AS n FROM finding_guess GROUP BY 1, 2, 3) AS one
	GROUP BY 1, 2
), source AS (
	SELECT pattern, subject, count(*) AS addresses,
		jsonb_agg(jsonb_build_object('ip_address', text(address), 'answers', n) ORDER BY place) FILTER (WHERE place <= 5) AS top_addresses
	FROM (
		SELECT *, row_number() OVER (PARTITION BY pattern, subject ORDER BY n DESC, address) AS place
		FROM (SELECT pattern, subject, address, sum(answers) AS n FROM finding_guess WHERE address IS NOT NULL GROUP BY 1, 2, 3) AS one
	) AS ranked GROUP BY 1, 2
), account AS (
	SELECT pattern, subject, count(*) AS accounts,
		jsonb_agg(jsonb_build_object('email', email, 'answers', n) ORDER BY place) FILTER (WHERE place <= 5) AS top_accounts
	FROM (
		SELECT *, row_number() OVER (PARTITION BY pattern, subject ORDER BY n DESC, email) AS place
		FROM (SELECT pattern, subject, email, sum(answers) AS n FROM finding_guess WHERE email IS NOT NULL GROUP BY 1, 2, 3) AS one
	) AS ranked GROUP BY 1, 2
)
SELECT pattern, subject, since, until, answers, jsonb_build_object(
	'addresses', coalesce(addresses, 0), 'top_addresses', coalesce(top_addresses, '[]'),
	'accounts', coalesce(accounts, 0), 'top_accounts', coalesce(top_accounts, '[]'),
	'reasons', reasons,
	'logins', coalesce(logins, (
		SELECT count(*) FROM postern.auth_events AS login
		WHERE login.email = subject AND login.created_at > now() - postern.insight_window() AND login.event_type = 'login' AND login.success
			AND postern.address_key(login.ip_address) IN (SELECT address FROM guess WHERE guess.email = subject)
	))
) AS evidence
FROM (
	SELECT pattern, subject, min(logins) AS logins, min(created_at) AS since, max(created_at) AS until, sum(answers)::bigint AS answers
	FROM finding_guess GROUP BY 1, 2
) AS finding
JOIN reason USING (pattern, subject) LEFT JOIN source USING (pattern, subject) LEFT JOIN account USING (pattern, subject);
--> statement-breakpoint
CREATE VIEW "postern"."insight_refresh_reuse" AS
SELECT 'refresh_reuse'::text AS pattern, coalesce(user_id::text, 'unknown') AS subject, min(created_at) AS since, max(created_at) AS until,
	count(*) AS answers, jsonb_build_object(
		'emails', coalesce(jsonb_agg(DISTINCT email) FILTER (WHERE email IS NOT NULL), '[]'),
		'sessions', count(DISTINCT session_id),
		'addresses', count(DISTINCT ip_address)
	) AS evidence
FROM postern.auth_events
WHERE event_type = 'refresh_reuse_detected' AND created_at > now() - postern.insight_window()
GROUP BY user_id;
--> statement-breakpoint
CREATE VIEW "postern"."insight_ownership_probing" AS
SELECT 'ownership_probing'::text AS pattern, user_id::text AS subject, min(created_at) AS since, max(created_at) AS until,
	count(*) AS answers, jsonb_build_object(
		'emails', coalesce(jsonb_agg(DISTINCT email) FILTER (WHERE email IS NOT NULL), '[]'),
		'requested_users', count(DISTINCT details->>'requested_user_id'),
		'addresses', count(DISTINCT ip_address)
	) AS evidence
FROM postern.auth_events
WHERE event_type = 'ownership_denied' AND created_at > now() - postern.insight_window() AND user_id IS NOT NULL
GROUP BY user_id
HAVING count(DISTINCT details->>'requested_user_id') >= 5 OR count(*) >= 50;
--> statement-breakpoint
-- A burst is what is far more than usual for its network: five times the average of the other hours.
CREATE VIEW "postern"."insight_signup_burst" AS
WITH hourly AS (
	SELECT network(set_masklen(ip_address, CASE family(ip_address) WHEN 6 THEN least(masklen(ip_address), 48) ELSE 24 END)) AS network,
		date_bin('1 hour', created_at, now()) AS hour, count(*) AS signups, min(created_at) AS since, max(created_at) AS until
	FROM postern.auth_events
	WHERE event_type = 'signup' AND success AND ip_address IS NOT NULL AND created_at > now() - postern.insight_window()
	GROUP BY 1, 2
), usual AS (
	SELECT *, (sum(signups) OVER of_network - signups) / greatest(extract(epoch FROM postern.insight_window()) / 3600 - 1, 1) AS others
	FROM hourly WINDOW of_network AS (PARTITION BY network)
)
SELECT 'signup_burst'::text AS pattern, network::text AS subject, min(since) AS since, max(until) AS until, sum(signups)::bigint AS answers,
	jsonb_build_object('hours', count(*), 'most_in_an_hour', max(signups), 'usual_in_an_hour', round(min(others), 1)) AS evidence
FROM usual WHERE signups >= 20 AND signups > 5 * others
GROUP BY network;
--> statement-breakpoint
CREATE VIEW "postern"."insights" AS
SELECT * FROM postern.insight_guessing
UNION ALL SELECT * FROM postern.insight_refresh_reuse
UNION ALL SELECT * FROM postern.insight_ownership_probing
UNION ALL SELECT * FROM postern.insight_signup_burst;