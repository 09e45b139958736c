namespace Billing.Tests.Examples;

/// <summary>
/// What a vendor of a support desk sells, with the catalogue that is delivered. The account begins on 22 February with the trial of 7 days
/// of its helpdesk plan, so its first paid period begins on 1 March.
/// </summary>
public sealed class VendorExamplesTests
{
    private const string Tickets = "helpdesk.tickets";
    private const string Interactions = "automation.interactions";

    // A ticket is billable with an outbound message, once per session: a chat silent for 3 days or an email for 10 starts a new one.
    [Theory]
    [InlineData("inbound only", "0", "03-05 chat inbound", "03-06 email inbound")]
    [InlineData("many messages of one chat", "1", "03-05 chat outbound", "03-06 chat outbound", "03-07 chat outbound")]
    [InlineData("a chat after 3 days", "1", "03-05 chat outbound", "03-08 chat outbound")]
    [InlineData("a chat after more than 3 days", "2", "03-05 chat outbound", "03-08 00:00:01 chat outbound")]
    [InlineData("an email after 10 days", "1", "03-05 email outbound", "03-15 email outbound")]
    [InlineData("an email after more than 10 days", "2", "03-05 email outbound", "03-15 00:00:01 email outbound")]
    [InlineData("an inbound message between does not bridge 4 days", "2", "03-05 chat outbound", "03-07 chat inbound", "03-09 chat outbound")]
    public void ABillableTicket_IsASessionOfOutboundMessages(string what, string tickets, params string[] messages) =>
        Example.Row(what, () => Begun().Sent([.. messages.Select(m => Message("1", m))]).Counts("03-01", tickets, Tickets));

    // An automated interaction, here of 5 March 10:00, is billed unless an agent writes into the same ticket within 72 hours.
    [Theory]
    [InlineData("nobody writes", "1", """03-05 11:00 other {}""")]
    [InlineData("an agent writes", "0", """03-05 11:00 ticket.message.sent {"ticket_id":"1","sender":"agent"}""")]
    [InlineData("an agent writes at the end of the 72 hours", "0", """03-08 10:00 ticket.message.sent {"ticket_id":"1","sender":"agent"}""")]
    [InlineData("an agent writes after them", "1", """03-08 10:00:01 ticket.message.sent {"ticket_id":"1","sender":"agent"}""")]
    [InlineData("an agent wrote before", "1", """03-05 09:59 ticket.message.sent {"ticket_id":"1","sender":"agent"}""")]
    [InlineData("the customer writes", "1", """03-05 11:00 ticket.message.sent {"ticket_id":"1","sender":"customer"}""")]
    [InlineData("an agent writes into another ticket", "1", """03-05 11:00 ticket.message.sent {"ticket_id":"2","sender":"agent"}""")]
    [InlineData("a second interaction of the ticket", "1", """03-20 automation.interaction.resolved {"ticket_id":"1"}""")]
    [InlineData("an interaction of another ticket", "2", """03-20 automation.interaction.resolved {"ticket_id":"2"}""")]
    public void AnAutomatedInteraction_IsBilledUnlessAnAgentWrites(string what, string interactions, string next) =>
        Example.Row(what, () => Begun()
            .Sent("""03-05 10:00 automation.interaction.resolved {"ticket_id":"1"}""", next).At("03-31").Counts("03-01", interactions, Interactions));

    // A first interaction that an agent took over does not hide the second: cancelling comes before counting once per period.
    [Fact]
    public void AnInteractionAfterAnAgentTookOver_CountsForItself() =>
        Begun()
            .Sent(
                """03-05 automation.interaction.resolved {"ticket_id":"1"}""", """03-06 ticket.message.sent {"ticket_id":"1","sender":"agent"}""",
                """03-10 automation.interaction.resolved {"ticket_id":"1"}""")
            .Counts("03-01", "0 + 1 pending", Interactions)
            .At("03-14").Counts("03-01", "1", Interactions);

    // Plan of 10.00 with 50 tickets, 0.40 for each more; interactions 0.90 each.
    // 52 tickets are 2 over: 2 x 0.40 = 0.80. 2 interactions: 2 x 0.90 = 1.80. With the base of April: 10.00 + 0.80 + 1.80 = 12.60.
    [Fact]
    public void AMonthOfTheDesk_OnItsInvoice() =>
        Begun()
            .Sent([.. Enumerable.Range(1, 52).Select(t => Message($"t{t}", "03-10 email outbound"))])
            .Sent("""03-12 automation.interaction.resolved {"ticket_id":"t1"}""", """03-12 automation.interaction.resolved {"ticket_id":"b1"}""")
            .Sent("""03-12 automation.interaction.resolved {"ticket_id":"b2"}""", """03-13 ticket.message.sent {"ticket_id":"b2","sender":"agent"}""")
            .At("04-04")
            .Invoice(1, "1 finalized 03-01..04-01 10.00 USD", "base automation-payg 03-01..04-01: 0.00", "base helpdesk-starter 03-01..04-01: 10.00")
            .Invoice(
                2,
                "2 finalized 04-01..05-01 12.60 USD",
                "base automation-payg 04-01..05-01: 0.00",
                "base helpdesk-starter 04-01..05-01: 10.00",
                "usage automation.interactions 03-01..04-01: 2 -> 1.80",
                "usage helpdesk.tickets 03-01..04-01: 52 -> 0.80");

    // Usage of the trial is shown and free, and so is what goes on of a session begun in it.
    [Fact]
    public void ASessionOfTheTrial_StaysFree() =>
        Begun("02-27")
            .Sent(Message("1", "02-27 email outbound")).Receipt("trial: helpdesk.tickets 1 in 02-22..03-01")
            .Sent(Message("1", "03-05 email outbound")).Counts("02-22", "1", Tickets).Counts("03-01", "0", Tickets);

    // Minutes by volume: up to 100 at 0.0210, up to 1000 at 0.0185, above at 0.0149. Texts by ticket: 0.32 each.
    // 100 x 0.0210 = 2.10; 101 x 0.0185 = 1.8685; 1000 x 0.0185 = 18.50; 1001 x 0.0149 = 14.9149.
    [Theory]
    [InlineData("100", "2.10")]
    [InlineData("101", "1.8685 ~ 1.87")]
    [InlineData("1000", "18.50")]
    [InlineData("1001", "14.9149 ~ 14.91")]
    public void MinutesAndTexts_ByTheirPrices(string minutes, string amount) =>
        Example.Begun("03-01", Catalog(), "voice.minutes", "voice-payg", "sms-payg")
            .Sent($$"""03-05 voice.call.ended {"minutes":{{minutes}}}""")
            .Sent("""03-05 sms.message.sent {"ticket_id":1}""", """03-06 sms.message.sent {"ticket_id":1}""", """03-07 sms.message.sent {"ticket_id":2}""")
            .At("04-04")
            .Usage(2, "usage sms.tickets 03-01..04-01: 2 -> 0.64", $"usage voice.minutes 03-01..04-01: {minutes} -> {amount}"); // 2 x 0.32

    private static string Catalog() => Repository.Read("Silo/catalog.sample.json");

    private static Example Begun(string at = "03-01") =>
        Example.Begun("02-22", Catalog(), Tickets, "helpdesk-starter", "automation-payg").At(at);

    // Such as "03-05 10:00 chat outbound".
    private static string Message(string ticket, string timeChannelDirection)
    {
        var words = timeChannelDirection.Split(' ');
        return $$"""{{string.Join(' ', words[..^2])}} ticket.message.sent {"ticket_id":"{{ticket}}","channel":"{{words[^2]}}","direction":"{{words[^1]}}","sender":"bot"}""";
    }
}
