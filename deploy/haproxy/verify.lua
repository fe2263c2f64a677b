-- Asks Postern whether the token of a request is good and its path its owner's. Yes: the identity is in variables of the
-- transaction. No: Postern's own answer goes to the client. No answer: 503. See haproxy.cfg.

local QUESTION = "http://127.0.0.1:8089/auth/verify?owner_path=/api/:user_id/*"
local TIMEOUT_MS = 5000

local IDENTITY = {
  ["x-user-id"] = "txn.postern_user_id",
  ["x-user-email"] = "txn.postern_user_email",
  ["x-session-id"] = "txn.postern_session_id",
  ["x-auth-request-id"] = "txn.postern_request_id",
}

-- Of these only, and never of the body. With every line of it: two Authorization headers are Postern's to refuse.
local ASKED = { "authorization", "user-agent", "x-request-id", "x-forwarded-for", "x-forwarded-proto" }

-- These belong to the connection between HAProxy and Postern.
local HOP = { ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true, ["content-length"] = true }

-- HAProxy counts the lines of a header from 0, Lua from 1.
local function lines(values)
  local result = {}
  if values ~= nil then
    for index = 0, #values do
      result[#result + 1] = values[index]
    end
  end
  return result
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply({ status = status })
  for name, values in pairs(headers) do
    if not HOP[name] then
      for _, value in ipairs(lines(values)) do
        reply:add_header(name, value)
      end
    end
  end
  reply:set_body(body)
  txn:done(reply)
end

core.register_action("verify", { "http-req" }, function(txn)
  local received = txn.http:req_get_headers()
  local sent = { ["x-forwarded-uri"] = { txn.sf:pathq() } }
  for _, name in ipairs(ASKED) do
    sent[name] = lines(received[name])
  end

  local answer = core.httpclient():get({ url = QUESTION, headers = sent, timeout = TIMEOUT_MS })
  if answer == nil or answer.status == nil or answer.status < 200 then
    return refuse(txn, 503, { ["retry-after"] = { [0] = "1" } }, "")
  end
  if answer.status ~= 200 then
    return refuse(txn, answer.status, answer.headers, answer.body)
  end
  for name, variable in pairs(IDENTITY) do
    local value = answer.headers[name] and answer.headers[name][0]
    if value == nil then
      return refuse(txn, 503, {}, "")
    end
    txn:set_var(variable, value)
  end
  txn:set_var("txn.postern_verified", true)
end, 0)
