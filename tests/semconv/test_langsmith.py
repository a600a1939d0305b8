"""LangSmith's exporter: what recorded runs become, and why."""

from semconv.value import document
from semconv.view import SpanView
from tests.semconv.golden import lost
from tests.semconv.recorded import recorded, span

LANGSMITH = "langsmith@*"
CLIENT = 3


def test_a_model_run_has_its_messages_out_of_serialised_objects(translated):
    """LangChain's constructors are unwrapped; what they are called inside the library rides along."""
    found = translated(span(LANGSMITH, "agent_tools_loop", "ChatOpenAI"))
    assert (found.name, found.kind) == ("chat gpt-4o-mini", CLIENT)
    sent = document(found.attributes["gen_ai.input.messages"])
    assert [(message["role"], message["parts"]) for message in sent] == [
        ("system", [{"type": "text", "content": "You are a helpful assistant. Be brief."}]),
        ("user", [{"type": "text", "content": "What is the weather and time in Paris, and what is 17 + 25?"}]),
    ]
    [answer] = document(found.attributes["gen_ai.output.messages"])
    assert [(part["type"], part["name"], part["arguments"]) for part in answer["parts"]] == [
        ("tool_call", "get_weather", {"city": "Paris"}),
        ("tool_call", "get_time", {"city": "Tokyo"}),
    ]
    assert found.attributes["gen_ai.provider.name"] == "openai"
    assert found.attributes["gen_ai.conversation.id"] == "t-1"  # the thread; the session is the same thing's other name
    assert found.attributes["user.id"] == "u-1"
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 20
    assert found.attributes["gen_ai.usage.reasoning.output_tokens"] == 0
    assert found.attributes["gen_ai.request.temperature"] == 0.2
    assert "gen_ai.prompt" in found.removed
    assert "gen_ai.usage.total_tokens" in found.removed  # 41 + 17
    assert lost(found)["langsmith.metadata.session_id"] == "ambiguous"
    assert lost(found)["langsmith.trace.session_name"] == "no_concept"  # a project, no conversation


def test_a_traced_request_of_an_sdk_is_its_parameters_and_messages(translated):
    """`wrap_openai` puts the whole request and the whole answer where LangChain puts its state."""
    item = next(
        item
        for item in recorded("traces", LANGSMITH)
        if any(pair["key"] == "langsmith.metadata.ls_invocation_params" for pair in item.item["attributes"])
    )
    found = translated(item)
    assert found.attributes["gen_ai.request.seed"] == 7
    assert found.attributes["gen_ai.request.top_p"] == 0.9
    assert found.attributes["user.id"] == "user-1"
    [answer] = document(found.attributes["gen_ai.output.messages"])
    assert answer["role"] == "assistant"
    assert "gen_ai.completion#/model" not in lost(found)


def test_details_in_python_s_own_notation_are_read(translated):
    item = next(
        item
        for item in recorded("traces", LANGSMITH)
        if any(pair["key"] == "gen_ai.usage.input_token_details" for pair in item.item["attributes"])
    )
    found = translated(item)
    assert "gen_ai.usage.input_token_details" in found.removed
    assert isinstance(found.attributes["gen_ai.usage.cache_read.input_tokens"], int)


def test_a_tool_run_has_arguments_and_result(translated):
    found = translated(span(LANGSMITH, "agent_tools_loop", "get_weather"))
    assert (found.name, found.kind) == ("execute_tool get_weather", None)
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"city":"Paris"}'
    assert document(found.attributes["gen_ai.tool.call.result"])["content"] == (
        '{"city": "Paris", "temp_c": 18, "sky": "sunny"}'
    )
    assert found.attributes["gen_ai.agent.name"] == "weather_agent"
    assert lost(found)["gen_ai.system"] == "not_a_provider"  # langchain


def test_a_retriever_is_no_embedding_whatever_the_exporter_says(translated):
    found = translated(span(LANGSMITH, "retriever_rag", "VectorStoreRetriever"))
    assert (found.name, found.kind) == ("retrieval", CLIENT)
    assert found.attributes["gen_ai.operation.name"] == "retrieval"
    assert found.attributes["gen_ai.retrieval.query.text"] == "What is the capital of France?"
    [found_document] = document(found.attributes["gen_ai.retrieval.documents"])
    assert found_document["content"] == "Lima is in Peru"


def test_a_prompt_run_is_no_chat_whatever_the_exporter_says(translated):
    found = translated(span(LANGSMITH, "chain_lcel", "ChatPromptTemplate"))
    assert (found.name, found.kind) == (None, None)
    assert found.attributes["gen_ai.operation.name"] == "prompt"


def test_the_outermost_chain_of_an_agent_is_the_agent_and_its_nodes_are_not(translated):
    found = translated(span(LANGSMITH, "agent_tools_loop", "weather_agent"))
    assert found.name == "invoke_agent weather_agent"
    node = translated(span(LANGSMITH, "agent_tools_loop", "model"))
    assert node.name is None
    assert lost(node)["langsmith.span.kind"] == "enum_no_equivalent"


def test_a_failed_run_names_its_error_and_has_no_output(translated):
    found = translated(span(LANGSMITH, "err_tool", "fail_tool"))
    assert found.attributes["error.type"]
    assert "gen_ai.completion" in found.removed  # an empty object
    assert "gen_ai.tool.call.result" not in found.attributes


def test_a_traced_retriever_has_a_query_and_documents(translator):
    """What wraps a function calls its argument `input` and what it gives `outputs`."""
    found = translator.span(
        SpanView(
            scope_name="langsmith",
            name="ret",
            attributes={
                "langsmith.span.kind": "retriever",
                "langsmith.traceable": "true",
                "gen_ai.operation.name": "embeddings",
                "gen_ai.prompt": '{"input":"q"}',
                "gen_ai.completion": '{"outputs":[{"page_content":"doc","type":"Document","metadata":{"id":1}}]}',
            },
        )
    )
    assert found.attributes["gen_ai.operation.name"] == "retrieval"
    assert found.attributes["gen_ai.retrieval.query.text"] == "q"
    assert document(found.attributes["gen_ai.retrieval.documents"])[0]["content"] == "doc"
    assert "gen_ai.input.messages" not in found.attributes
    assert found.unknown == ()
